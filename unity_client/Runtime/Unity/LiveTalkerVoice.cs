// What a microphone and an AudioSource have in common: a session, and the face that belongs to now.
using System;
using UnityEngine;

namespace LiveTalker.Unity
{
    /// <summary>A source of speech. Characters show the face of the voice they are given.</summary>
    /// <remarks>Everything runs on the main thread but the network and, in an AudioSource, the audio.</remarks>
    public abstract class LiveTalkerVoice : MonoBehaviour
    {
        [SerializeField]
        [Tooltip("The server: an asset made with Create > LiveTalker > Connection.")]
        private LiveTalkerConnection connection;

        [SerializeField]
        [Tooltip("How far the model listens ahead: Low 40 ms, Balanced 80 ms, Quality 160 ms. More is later and better.")]
        private LatencyPreset latency = LatencyPreset.Balanced;

        [SerializeField]
        [Tooltip("60 frames a second cost 17 ms more than 30. Frames are interpolated in either case.")]
        private FrameRateChoice frameRate = FrameRateChoice.Sixty;

        [SerializeField]
        [Tooltip("A name of the model's identity library; empty matches the voice by itself after a second of speech.")]
        private string identity = "";

        [SerializeField]
        [Tooltip("Two characters with the same voice and different seeds blink at different times.")]
        private int seed;

        [SerializeField]
        [Tooltip("Whether the face blinks. Untick if your animation does.")]
        private bool blinks = true;

        [SerializeField]
        [Tooltip("Whether brows and eyes move a little while nobody speaks.")]
        private bool idleMotion = true;

        private readonly float[] face = new float[Arkit.Count];
        private LiveTalkerClient client;
        private int sampledFrame = -1;
        private string told = "";

        /// <summary>Frames a second.</summary>
        public enum FrameRateChoice
        {
            /// <summary>30 frames a second.</summary>
            Thirty = 30,

            /// <summary>60 frames a second.</summary>
            Sixty = 60,
        }

        /// <summary>The voice was matched with an identity of the library.</summary>
        public event Action<string> IdentityMatched;

        /// <summary>Anything else that a session tells.</summary>
        public event Action<SessionEvent> Occurred;

        /// <summary>The server.</summary>
        public LiveTalkerConnection Connection
        {
            get => connection;
            set => connection = value;
        }

        /// <summary>What the session is doing; Closed while there is none.</summary>
        public SessionState State => Session?.State ?? SessionState.Closed;

        /// <summary>What is wrong and what to do about it; empty if nothing is.</summary>
        public string Problem { get; private set; } = "";

        /// <summary>What the last shown face is: playing, holding, easing or resting.</summary>
        public PresentationState Presentation => Presenter?.Buffer.State ?? PresentationState.Resting;

        /// <summary>How far the face is behind the audio it is shown with, seconds.</summary>
        public float DelaySeconds => Presenter != null ? (float)Presenter.Buffer.DelaySeconds : 0;

        /// <summary>How far the face is from rest, 0 to 1.</summary>
        public float Presence => Presenter?.Buffer.Presence ?? 0;

        /// <summary>The session, or null. For controls: muting, shaping, identity.</summary>
        public FaceSession Session { get; private set; }

        /// <summary>Shows the session's frames on the audio's clock; null while there is no session.</summary>
        protected FacePresenter Presenter { get; private set; }

        /// <summary>Gives the face for the frame that is being rendered. Several characters may ask. Never waits, allocates nothing.</summary>
        /// <param name="target">Receives the 52 coefficients.</param>
        public void Sample(Span<float> target)
        {
            if (sampledFrame != Time.frameCount && Presenter != null)
            {
                sampledFrame = Time.frameCount;
                Presenter.Sample(MonotonicClock.Now, face);
            }

            face.AsSpan().CopyTo(target);
        }

        /// <summary>The character was interrupted: what was not said yet is dropped and the face eases to rest.</summary>
        public virtual void Interrupt()
        {
            Presenter?.Interrupt();
        }

        /// <summary>Begins a session.</summary>
        /// <param name="sampleRate">Of the audio that will be written.</param>
        /// <param name="isHeardLate">True: the audio is played late enough for the face. False: the face follows live audio.</param>
        protected void Begin(int sampleRate, bool isHeardLate)
        {
            End();
            if (connection == null)
            {
                Tell($"{name}: choose a connection (Create > LiveTalker > Connection).");
                return;
            }

            var config = new SessionConfig
            {
                SampleRate = sampleRate,
                FrameRate = (int)frameRate,
                Latency = latency,
                Identity = string.IsNullOrWhiteSpace(identity) ? IdentityChoice.Automatic : IdentityChoice.Pin(identity.Trim()),
                Seed = unchecked((ulong)seed),
                Blinks = blinks,
                IdleMotion = idleMotion,
            };
            try
            {
                client = connection.CreateClient();
                Session = client.StartSession(config);
                double floor = isHeardLate ? 0 : FacePresenter.LiveFloorSeconds(config);
                Presenter = new FacePresenter(Session, floor, isHeardLate ? 0 : double.NaN);
            }
            catch (Exception error) when (error is ArgumentException || error is InvalidOperationException)
            {
                End();
                Tell($"{name}: {error.Message}");
            }
        }

        /// <summary>Ends the session; does not wait for the network.</summary>
        protected void End()
        {
            Session?.Dispose();
            OpenClients.Dispose(client);
            Session = null;
            Presenter = null;
            client = null;
            Array.Clear(face, 0, face.Length);
            Problem = "";
        }

        /// <summary>Ends the session.</summary>
        protected virtual void OnDisable()
        {
            End();
        }

        /// <summary>Hands on what the session tells; call it in Update.</summary>
        protected void ReadEvents()
        {
            while (Session != null && Session.TryReadEvent(out SessionEvent occurred))
            {
                switch (occurred.Kind)
                {
                    case SessionEventKind.Connected:
                        Problem = "";
                        told = "";
                        break;
                    case SessionEventKind.Disconnected:
                    case SessionEventKind.Failed:
                        Tell($"{name}: {occurred.Message}");
                        break;
                    case SessionEventKind.IdentityMatched:
                        IdentityMatched?.Invoke(occurred.Identity);
                        break;
                }

                Occurred?.Invoke(occurred);
            }
        }

        // A server that is away is tried again and again; the console need not say so each time.
        private void Tell(string problem)
        {
            Problem = problem;
            if (told != problem)
            {
                told = problem;
                Debug.LogWarning(problem, this);
            }
        }
    }
}
