// Lets one asynchronous loop sleep until another thread has something for it, without allocating each time.
using System;
using System.Threading.Tasks;
using System.Threading.Tasks.Sources;

namespace LiveTalker
{
    /// <summary>An auto-reset event with one waiter, which <c>await</c>s it.</summary>
    internal sealed class AsyncSignal : IValueTaskSource
    {
        private readonly object gate = new object();
        private ManualResetValueTaskSourceCore<bool> core = new ManualResetValueTaskSourceCore<bool>
        {
            // The thread that sets it may be the audio thread: it must not run the loop itself.
            RunContinuationsAsynchronously = true,
        };

        private bool isSet;
        private bool isAwaited;

        /// <summary>Wakes the waiter, or the next one to come.</summary>
        public void Set()
        {
            lock (gate)
            {
                if (!isAwaited)
                {
                    isSet = true;
                    return;
                }

                isAwaited = false;
            }

            core.SetResult(true);
        }

        /// <summary>Waits for <see cref="Set"/>. Only one may wait at a time.</summary>
        public ValueTask WaitAsync()
        {
            lock (gate)
            {
                if (isSet)
                {
                    isSet = false;
                    return default;
                }

                core.Reset();
                isAwaited = true;
                return new ValueTask(this, core.Version);
            }
        }

        ValueTaskSourceStatus IValueTaskSource.GetStatus(short token)
        {
            return core.GetStatus(token);
        }

        void IValueTaskSource.OnCompleted(
            Action<object> continuation, object state, short token, ValueTaskSourceOnCompletedFlags flags)
        {
            core.OnCompleted(continuation, state, token, flags);
        }

        void IValueTaskSource.GetResult(short token)
        {
            core.GetResult(token);
        }
    }
}
