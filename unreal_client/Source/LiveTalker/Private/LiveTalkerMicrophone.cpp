#include "LiveTalkerMicrophone.h"

#include "Async/Async.h"
#include "LiveTalkerVoice.h"
#include "Misc/ScopeLock.h"

namespace
{

// What a callback brings: 10 ms at 48 kHz.
constexpr uint32 FramesWanted = 480;

} // namespace

TSharedRef<FLiveTalkerMicrophone, ESPMode::ThreadSafe> FLiveTalkerMicrophone::Open(int32 Device, FReady Ready)
{
	const TSharedRef<FLiveTalkerMicrophone, ESPMode::ThreadSafe> Microphone = MakeShared<FLiveTalkerMicrophone, ESPMode::ThreadSafe>();
	// Opening a device takes up to a second on some systems.
	const TWeakPtr<FLiveTalkerMicrophone, ESPMode::ThreadSafe> Weak = Microphone;
	Async(EAsyncExecution::ThreadPool, [Weak, Device, Ready = MoveTemp(Ready)]() mutable
	{
		int32 SampleRate = 0;
		int32 Channels = 0;
		if (const TSharedPtr<FLiveTalkerMicrophone, ESPMode::ThreadSafe> Alive = Weak.Pin())
		{
			Alive->Start(Device, SampleRate, Channels);
		}
		AsyncTask(ENamedThreads::GameThread, [Ready = MoveTemp(Ready), SampleRate, Channels]() { Ready(SampleRate, Channels); });
	});
	return Microphone;
}

bool FLiveTalkerMicrophone::Start(int32 Device, int32& SampleRate, int32& Channels)
{
	const FScopeLock Lock(&DeviceGuard);
	Audio::FCaptureDeviceInfo Info;
	if (bClosed || !Capture.GetCaptureDeviceInfo(Info, Device))
	{
		return false;
	}
	Audio::FAudioCaptureDeviceParams Params;
	Params.DeviceIndex = Device;
	// The callback comes on the device's thread, until the stream is closed.
	const TWeakPtr<FLiveTalkerMicrophone, ESPMode::ThreadSafe> Weak = AsShared();
	Audio::FOnAudioCaptureFunction OnCapture =
		[Weak](const void* Samples, int32 Frames, int32 InChannels, int32, double, bool)
	{
		if (const TSharedPtr<FLiveTalkerMicrophone, ESPMode::ThreadSafe> Alive = Weak.Pin())
		{
			Alive->OnCaptured(static_cast<const float*>(Samples), Frames, InChannels);
		}
	};
	if (!Capture.OpenAudioCaptureStream(Params, MoveTemp(OnCapture), FramesWanted) || !Capture.StartStream())
	{
		return false;
	}
	SampleRate = Capture.GetSampleRate();
	Channels = Info.InputChannels;
	return true;
}

void FLiveTalkerMicrophone::OnCaptured(const float* Samples, int32 Frames, int32 Channels)
{
	TSharedPtr<FLiveTalkerVoice, ESPMode::ThreadSafe> Present;
	{
		const FScopeLock Lock(&VoiceGuard);
		Present = Voice.Pin();
	}
	// A device whose channels are not those it announced cannot be read by the voice that was opened for it.
	if (Present.IsValid() && Present->GetFormat().Channels == Channels)
	{
		Present->Push(Samples, Frames);
	}
}

void FLiveTalkerMicrophone::SetVoice(const TSharedPtr<FLiveTalkerVoice, ESPMode::ThreadSafe>& InVoice)
{
	const FScopeLock Lock(&VoiceGuard);
	Voice = InVoice;
}

void FLiveTalkerMicrophone::Close(TSharedPtr<FLiveTalkerMicrophone, ESPMode::ThreadSafe>& Microphone)
{
	if (!Microphone.IsValid())
	{
		return;
	}
	Microphone->SetVoice(nullptr);
	Async(EAsyncExecution::ThreadPool, [Closing = MoveTemp(Microphone)]()
	{
		const FScopeLock Lock(&Closing->DeviceGuard);
		Closing->bClosed = true;
		Closing->Capture.AbortStream();
	});
	Microphone.Reset();
}
