// A voice and its face, for as long as somebody speaks: audio in, frames out, whatever the network does.
using System;
using System.Collections.Concurrent;
using System.Threading;
using System.Threading.Tasks;

namespace LiveTalker
{
    /// <summary>One voice: write its audio, read its frames.</summary>
    /// <remarks>
    /// The network lives on threads of its own and no method waits for it. One thread may write, one may read; both may be
    /// the same. Time is the audio's: sample 0 is the first sample written, frame n stands at n / frame rate seconds of it.
    /// Frames never repeat and never go backwards, across any number of reconnects.
    /// </remarks>
    public sealed class FaceSession : IDisposable
    {
        private const double LiveRingSeconds = 4.0;
        private const double LosslessRingSeconds = 8.0;
        private const long ResentSeconds = 2;
        private const int QueuedFramesLimit = 256;
        private const int MaxEvents = 256;

        private readonly LiveTalkerClient client;
        private readonly FrameQueue frames;
        private readonly AsyncSignal room = new AsyncSignal();
        private readonly ConcurrentQueue<SessionEvent> events = new ConcurrentQueue<SessionEvent>();
        private readonly CancellationTokenSource disposal;
        private readonly Backoff backoff = new Backoff(new Random());
        private volatile StreamAttempt attempt;
        private volatile bool audioComplete;
        private volatile StreamInfo info;
        private volatile LiveTalkerException lastError;
        private volatile int state = (int)SessionState.Connecting;
        private volatile byte[] token;
        private StreamPlan tokenPlan;
        private long knownSample; // up to which the token knows of identities and flushes
        private long nextFrame;

        internal FaceSession(LiveTalkerClient client, SessionConfig config)
        {
            this.client = client;
            Config = config;
            bool live = config.Delivery == Delivery.Live;
            Audio = new AudioRing((int)((live ? LiveRingSeconds : LosslessRingSeconds) * config.SampleRate));
            frames = new FrameQueue(QueuedFramesLimit, dropOldest: live);
            disposal = CancellationTokenSource.CreateLinkedTokenSource(client.Disposal);
            Completion = Task.Run(RunAsync);
        }

        /// <summary>What the session asked for.</summary>
        public SessionConfig Config { get; }

        /// <summary>What the session is doing.</summary>
        public SessionState State => (SessionState)state;

        /// <summary>Why the session is not, or was last not, connected; null if it always was.</summary>
        public LiveTalkerException LastError => lastError;

        /// <summary>What the server said when it accepted the stream; null before.</summary>
        public StreamInfo Info => info;

        /// <summary>Ends when the session has; never with an exception, see <see cref="State"/> and <see cref="LastError"/>.</summary>
        public Task Completion { get; }

        /// <summary>Samples written so far.</summary>
        public long WrittenSamples => Audio.Written;

        /// <summary>Frames that wait to be read.</summary>
        public int QueuedFrames => frames.Count;

        internal AudioRing Audio { get; }

        internal ControlLog Controls { get; } = new ControlLog();

        internal long NextFrame => Volatile.Read(ref nextFrame);

        internal bool IsAudioComplete => audioComplete;

        private bool IsOver => State >= SessionState.Completed;

        /// <summary>Appends audio. Never waits, allocates nothing.</summary>
        /// <param name="mono">Samples of full scale -1 to 1 at the config's rate, any number.</param>
        /// <returns>
        /// How many samples were taken: all of them in live delivery; in lossless delivery as many as fit until more frames
        /// have arrived, write the rest later.
        /// </returns>
        public int Write(ReadOnlySpan<float> mono)
        {
            if (IsOver || audioComplete)
            {
                return 0;
            }

            int taken = mono.Length;
            if (Config.Delivery == Delivery.Lossless)
            {
                taken = (int)Math.Min(taken, Room);
            }

            if (taken > 0)
            {
                Audio.Write(mono.Slice(0, taken));
                attempt?.Wake();
            }

            return taken;
        }

        /// <summary>
        /// Says that audio was lost before it could be written: silence takes its place, and what follows keeps its instants.
        /// For live delivery. Never waits, allocates nothing.
        /// </summary>
        /// <param name="samples">How much.</param>
        public void Skip(long samples)
        {
            if (!IsOver && !audioComplete && samples > 0)
            {
                Audio.Skip(samples);
                attempt?.Wake();
            }
        }

        /// <summary>Samples that <see cref="Write"/> takes now; in live delivery any number.</summary>
        public long Room
        {
            get
            {
                if (Config.Delivery == Delivery.Live)
                {
                    return int.MaxValue;
                }

                // Two seconds before the newest frame must stay, to be sent again after a break, by a new stream from the
                // whole second before.
                long keep = Math.Max(0, (NextFrame / Config.FrameRate) - ResentSeconds) * Config.SampleRate;
                return Math.Max(0, keep + Audio.Capacity - Audio.Written);
            }
        }

        /// <summary>There will be no more audio: the remaining frames come, then the session is <see cref="SessionState.Completed"/>.</summary>
        public void Complete()
        {
            audioComplete = true;
            attempt?.Wake();
        }

        /// <summary>Takes the oldest unread frame. Never waits, allocates nothing.</summary>
        /// <param name="header">Its index and arrival.</param>
        /// <param name="face">Receives the 52 coefficients in the order of <see cref="Arkit.Names"/>.</param>
        /// <returns>Whether there was one.</returns>
        public bool TryReadFrame(out FrameHeader header, Span<float> face)
        {
            if (face.Length < Arkit.Count)
            {
                throw new ArgumentException($"A face needs room for {Arkit.Count} coefficients.", nameof(face));
            }

            bool found = frames.TryTake(out header, face);
            if (found && Config.Delivery == Delivery.Lossless)
            {
                room.Set();
            }

            return found;
        }

        /// <summary>Takes the oldest unread event.</summary>
        public bool TryReadEvent(out SessionEvent occurred)
        {
            return events.TryDequeue(out occurred);
        }

        /// <summary>Drops the audio that was not animated yet: the character was interrupted.</summary>
        public void Flush()
        {
            Send(new Control(ControlKind.Flush, Audio.Written));
        }

        /// <summary>Lets the server hear the following audio as silence, or hear it again.</summary>
        public void SetMuted(bool muted)
        {
            Send(new Control(muted ? ControlKind.Mute : ControlKind.Unmute, Audio.Written));
        }

        /// <summary>Chooses or matches the identity anew, because another person speaks.</summary>
        public void RematchIdentity(IdentityChoice identity = null)
        {
            Send(new Control(ControlKind.RematchIdentity, Audio.Written) { Identity = identity });
        }

        /// <summary>Replaces the server's adjustments as a whole.</summary>
        public void SetShaping(Shaping shaping)
        {
            Send(new Control(ControlKind.Shaping, Audio.Written)
            {
                Shaping = shaping ?? throw new ArgumentNullException(nameof(shaping)),
            });
        }

        /// <summary>Ends the session at once. Does not wait for the network.</summary>
        public void Dispose()
        {
            if (!IsOver)
            {
                state = (int)SessionState.Closed;
            }

            try
            {
                disposal.Cancel();
            }
            catch (ObjectDisposedException)
            {
                // It had ended by itself.
            }

            attempt?.Wake();
        }

        internal void OnStarted(StreamInfo started, StreamPlan plan)
        {
            info = started;
            tokenPlan = plan;
            knownSample = plan.Resumes ? knownSample : 0;
            token = started.ResumeToken.Length > 0 ? started.ResumeToken : null;
            SetState(SessionState.Streaming);
            Raise(new SessionEvent(SessionEventKind.Connected, $"Connected to {client.Server.Authority}."));
        }

        /// <summary>Keeps a token.</summary>
        /// <param name="newest">The token.</param>
        /// <param name="frame">Frame on the session's clock that it was made at.</param>
        internal void OnResumePoint(byte[] newest, long frame)
        {
            token = newest;
            knownSample = frame * Config.SampleRate / Config.FrameRate;
        }

        /// <summary>Hands a frame on, unless the caller has it already.</summary>
        internal bool OnFrame(long index, ReadOnlySpan<float> face)
        {
            if (index < nextFrame)
            {
                return false;
            }

            Volatile.Write(ref nextFrame, index + 1);
            frames.Add(new FrameHeader(index, MonotonicClock.Now), face);
            return true;
        }

        internal void Raise(SessionEvent occurred)
        {
            events.Enqueue(occurred);
            while (events.Count > MaxEvents)
            {
                events.TryDequeue(out _);
            }
        }

        /// <summary>In lossless delivery, waits until the caller has read some frames.</summary>
        internal async ValueTask WaitForRoomAsync(Action beforeWaiting, CancellationToken cancellation)
        {
            while (Config.Delivery == Delivery.Lossless && frames.Count >= QueuedFramesLimit)
            {
                beforeWaiting();
                using (cancellation.Register(WakeReader, this))
                {
                    await room.WaitAsync().ConfigureAwait(false);
                }

                cancellation.ThrowIfCancellationRequested();
            }
        }

        private static void WakeReader(object self)
        {
            ((FaceSession)self).room.Set();
        }

        private void Send(Control control)
        {
            if (!IsOver)
            {
                Controls.Add(control);
                attempt?.Wake();
            }
        }

        private void SetState(SessionState next)
        {
            if (!IsOver)
            {
                state = (int)next;
            }
        }

        private async Task RunAsync()
        {
            try
            {
                while (!disposal.IsCancellationRequested)
                {
                    LiveTalkerException error = await RunOnceAsync().ConfigureAwait(false);
                    if (error == null)
                    {
                        SetState(SessionState.Completed);
                        Raise(new SessionEvent(SessionEventKind.Completed, "All frames were received."));
                        return;
                    }

                    if (!await PrepareRetryAsync(error).ConfigureAwait(false))
                    {
                        return;
                    }
                }
            }
            catch (OperationCanceledException)
            {
                SetState(SessionState.Closed);
            }
            catch (Exception error)
            {
                // Nothing awaits this task, so a mistake of this library's must be told here or nowhere.
                Fail(new LiveTalkerException(
                    StatusCode.Internal, $"The LiveTalker client failed: {error.Message}. Please report it.", inner: error));
            }
            finally
            {
                SetState(SessionState.Closed);
                disposal.Dispose();
            }
        }

        // Makes one call; null if it ended well.
        private async Task<LiveTalkerException> RunOnceAsync()
        {
            byte[] shown = token;
            StreamPlan plan = StreamPlan.Make(
                Audio, nextFrame, Config.SampleRate, Config.FrameRate, shown != null, tokenPlan);
            Controls.Rewind(plan.StartSample, plan.Resumes ? knownSample : 0);
            var call = new StreamAttempt(client, this, plan, shown);
            attempt = call;
            try
            {
                await call.RunAsync(disposal.Token).ConfigureAwait(false);
                return null;
            }
            catch (LiveTalkerException error)
            {
                disposal.Token.ThrowIfCancellationRequested();
                if (call.HasDelivered)
                {
                    backoff.Reset();
                }

                return error;
            }
            finally
            {
                attempt = null;
            }
        }

        // Waits as long as the error asks for; false if it is final.
        private async Task<bool> PrepareRetryAsync(LiveTalkerException error)
        {
            lastError = error;
            if (error.WantsNewStream && token != null)
            {
                token = null; // this server cannot go on, but it can begin
                return true;
            }

            if (!error.WantsNewStream && !error.IsTransient)
            {
                Fail(error);
                return false;
            }

            SetState(info == null ? SessionState.Connecting : SessionState.Reconnecting);
            Raise(new SessionEvent(SessionEventKind.Disconnected, error.Message) { Error = error });

            // A stopping server names a time too, but another one may take its place much sooner.
            TimeSpan wait = error.Code == StatusCode.ResourceExhausted && error.RetryAfter.HasValue
                ? backoff.After(error.RetryAfter.Value)
                : backoff.Next(MonotonicClock.Now);
            await Task.Delay(wait, disposal.Token).ConfigureAwait(false);
            return true;
        }

        private void Fail(LiveTalkerException error)
        {
            lastError = error;
            SetState(SessionState.Failed);
            Raise(new SessionEvent(SessionEventKind.Failed, error.Message) { Error = error });
        }
    }
}
