// A capture device, opened and closed away from the game thread, that pushes into a voice from its own thread.
#pragma once

#include "AudioCaptureCore.h"
#include "CoreMinimal.h"

class FLiveTalkerVoice;

class FLiveTalkerMicrophone : public TSharedFromThis<FLiveTalkerMicrophone, ESPMode::ThreadSafe>
{
public:
	/** What Ready is told, on the game thread: the device's format, or a rate of 0 where it cannot be used. */
	using FReady = TFunction<void(int32 SampleRate, int32 Channels)>;

	/** Opens a device in the background; INDEX_NONE: the system's default. */
	static TSharedRef<FLiveTalkerMicrophone, ESPMode::ThreadSafe> Open(int32 Device, FReady Ready);

	/** Where samples go from now on. */
	void SetVoice(const TSharedPtr<FLiveTalkerVoice, ESPMode::ThreadSafe>& InVoice);

	/** Closes the device in the background, and never waits for it. */
	static void Close(TSharedPtr<FLiveTalkerMicrophone, ESPMode::ThreadSafe>& Microphone);

private:
	bool Start(int32 Device, int32& SampleRate, int32& Channels);
	void OnCaptured(const float* Samples, int32 Frames, int32 Channels);

	/** Opening and closing take turns: a device that is closed while it opens would stay open. */
	FCriticalSection DeviceGuard;
	bool bClosed = false;
	Audio::FAudioCapture Capture;
	FCriticalSection VoiceGuard;
	TWeakPtr<FLiveTalkerVoice, ESPMode::ThreadSafe> Voice;
};
