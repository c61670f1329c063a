// One Animate call of a session: sends audio as it is written, hands frames on, and says how it ended.
using System;
using System.IO;
using System.Threading;
using System.Threading.Tasks;
using LiveTalker.Transport;
using LiveTalker.Wire;

namespace LiveTalker
{
    /// <summary>A call from its first message to its status.</summary>
    internal sealed class StreamAttempt : IResponseSink
    {
        private const double SilenceLimitSeconds = 10.0;
        private const double ChunksPerSecond = 50;

        // Frames trail the audio by the look-ahead and the network; only beyond that is silence suspicious.
        private const double OutstandingSeconds = 1.5;

        private readonly LiveTalkerClient client;
        private readonly FaceSession session;
        private readonly StreamPlan plan;
        private readonly byte[] token;
        private readonly ProtoWriter writer = new ProtoWriter(4096);
        private readonly ResponseDecoder decoder = new ResponseDecoder();
        private readonly AsyncSignal signal = new AsyncSignal();
        private readonly TaskCompletionSource<bool> ended =
            new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);

        private readonly object watchGate = new object();
        private readonly float[] chunk;
        private readonly float[] face = new float[Arkit.Count];
        private CancellationTokenSource silence;
        private int[] targets = new int[0];
        private long sentSamples;
        private bool watching = true;

        public StreamAttempt(LiveTalkerClient client, FaceSession session, StreamPlan plan, byte[] token)
        {
            this.client = client;
            this.session = session;
            this.plan = plan;
            this.token = token;
            chunk = new float[(int)(session.Config.SampleRate / ChunksPerSecond)];
            sentSamples = plan.StartSample;
        }

        /// <summary>Whether this call has delivered a frame.</summary>
        public bool HasDelivered { get; private set; }

        /// <summary>There is more to send.</summary>
        public void Wake()
        {
            signal.Set();
        }

        /// <summary>Runs the call until it ends well, after all audio of a completed session.</summary>
        /// <exception cref="LiveTalkerException">It ended otherwise.</exception>
        /// <exception cref="OperationCanceledException">The session was disposed.</exception>
        public async Task RunAsync(CancellationToken disposal)
        {
            using (silence = new CancellationTokenSource())
            using (var limit = CancellationTokenSource.CreateLinkedTokenSource(disposal, silence.Token))
            using (var call = new GrpcCall(
                client.Http, client.Server, LiveTalkerClient.AnimatePath, client.Token, stream => SendAsync(stream, limit.Token)))
            {
                try
                {
                    silence.CancelAfter(TimeSpan.FromSeconds(SilenceLimitSeconds));
                    await call.OpenAsync(limit.Token).ConfigureAwait(false);
                    await ReceiveAsync(call, limit.Token).ConfigureAwait(false);
                }
                catch (OperationCanceledException) when (!disposal.IsCancellationRequested)
                {
                    throw ErrorMessages.Stalled(client.Server);
                }
                catch (WireException error)
                {
                    throw ErrorMessages.BadBytes(error, client.Server);
                }
                finally
                {
                    limit.Cancel();
                    ended.TrySetResult(true);
                    signal.Set();
                }
            }
        }

        private async Task ReceiveAsync(GrpcCall call, CancellationToken cancellation)
        {
            while (true)
            {
                ReadOnlyMemory<byte>? message = await call.ReadAsync(cancellation).ConfigureAwait(false);
                if (message == null)
                {
                    break;
                }

                decoder.Decode(message.Value.Span, this);
                await session.WaitForRoomAsync(Unwatch, cancellation).ConfigureAwait(false);
                Watch(received: true);
            }

            if (!session.IsAudioComplete)
            {
                throw new LiveTalkerException(
                    StatusCode.Unavailable, $"The server at {client.Server.Authority} ended the stream unasked. It is tried again.");
            }
        }

        private async Task SendAsync(Stream stream, CancellationToken cancellation)
        {
            try
            {
                if (plan.Resumes)
                {
                    RequestEncoder.WriteResume(writer, token, session.NextFrame - plan.BaseFrames);
                }
                else
                {
                    RequestEncoder.WriteConfig(writer, session.Config);
                }

                await stream.WriteAsync(writer.Finish(), cancellation).ConfigureAwait(false);
                while (true)
                {
                    // Asked before looking for audio: what is written before completion must not be overlooked.
                    bool complete = session.IsAudioComplete;
                    if (EncodeNext())
                    {
                        await stream.WriteAsync(writer.Finish(), cancellation).ConfigureAwait(false);
                        Watch(received: false);
                    }
                    else if (complete)
                    {
                        await stream.FlushAsync(cancellation).ConfigureAwait(false);
                        return;
                    }
                    else
                    {
                        await stream.FlushAsync(cancellation).ConfigureAwait(false);
                        await signal.WaitAsync().ConfigureAwait(false);
                        cancellation.ThrowIfCancellationRequested();
                    }
                }
            }
            catch (Exception error) when (!(error is OperationCanceledException))
            {
                // The call has ended and its status says why, better than this. Failing here could hide it.
                await ended.Task.ConfigureAwait(false);
                throw new OperationCanceledException();
            }
        }

        // Encodes the next control or chunk; false if there is nothing to send yet.
        private bool EncodeNext()
        {
            if (session.Controls.TryNext(sentSamples, out Control control))
            {
                RequestEncoder.WriteControl(writer, control);
                return true;
            }

            long from = sentSamples;
            int count = session.Audio.Read(ref from, chunk);
            if (count == 0 || (count < chunk.Length && !session.IsAudioComplete))
            {
                return false; // whole chunks only, until the last
            }

            RequestEncoder.WriteAudio(writer, from - plan.BaseSamples, new ReadOnlySpan<float>(chunk, 0, count));
            Volatile.Write(ref sentSamples, from + count);
            return true;
        }

        // The call counts as dead when frames are due and nothing comes. While nothing is due, silence is fine.
        private void Watch(bool received)
        {
            long arrived = session.NextFrame * session.Config.SampleRate / session.Config.FrameRate;
            bool outstanding = Volatile.Read(ref sentSamples) - arrived > OutstandingSeconds * session.Config.SampleRate;
            lock (watchGate)
            {
                if (outstanding && (received || !watching))
                {
                    SetWatch(TimeSpan.FromSeconds(SilenceLimitSeconds));
                }
                else if (!outstanding && received && watching)
                {
                    SetWatch(Timeout.InfiniteTimeSpan);
                }
            }
        }

        private void Unwatch()
        {
            lock (watchGate)
            {
                SetWatch(Timeout.InfiniteTimeSpan);
            }
        }

        private void SetWatch(TimeSpan limit)
        {
            watching = limit != Timeout.InfiniteTimeSpan;
            try
            {
                silence.CancelAfter(limit);
            }
            catch (ObjectDisposedException)
            {
                // The call has just ended while its last chunk was on the way.
            }
        }

        void IResponseSink.OnStarted(StreamInfo info)
        {
            targets = new int[info.BlendshapeNames.Count];
            for (int i = 0; i < targets.Length; i++)
            {
                targets[i] = Arkit.IndexOf(info.BlendshapeNames[i]);
            }

            session.OnStarted(info, plan);
        }

        void IResponseSink.OnFrame(long index, long timeUs, ReadOnlySpan<float> weights)
        {
            int count = Math.Min(weights.Length, targets.Length);
            for (int i = 0; i < count; i++)
            {
                int target = targets[i];
                if (target >= 0)
                {
                    face[target] = weights[i];
                }
            }

            HasDelivered |= session.OnFrame(index + plan.BaseFrames, face);
        }

        void IResponseSink.OnEvent(SessionEvent occurred)
        {
            occurred.FirstFrame += plan.BaseFrames;
            occurred.StartSample += plan.BaseSamples;
            session.Raise(occurred);
        }

        void IResponseSink.OnResumePoint(byte[] newest, long frameIndex)
        {
            session.OnResumePoint(newest, frameIndex + plan.BaseFrames);
        }
    }
}
