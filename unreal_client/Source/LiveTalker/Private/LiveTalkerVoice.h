// One session of the client library: a voice that goes in and the face that comes out.
#pragma once

#include "CoreMinimal.h"
#include "LiveTalkerConnection.h"
#include "LiveTalkerLibrary.h"

/** What a voice is: who speaks, and how its audio comes. */
struct FLiveTalkerVoiceFormat
{
	int32 SampleRate = 0;
	int32 Channels = 1;
	int32 FrameRate = 60;
	int32 Preset = LIVETALKER_PRESET_DEFAULT;
	/** A recorded line that is pushed ahead of being played; otherwise a microphone. */
	bool bPlayed = false;
	/** A style by name; empty: matched by the voice. */
	FString Identity;

	bool SameStream(const FLiveTalkerVoiceFormat& Other) const
	{
		return SampleRate == Other.SampleRate && Channels == Other.Channels && bPlayed == Other.bPlayed;
	}
};

/**
 * Shared, because a microphone's thread may be pushing into it while its character goes: who pushes holds it. Nothing
 * here waits, not even the destructor.
 */
class FLiveTalkerVoice
{
public:
	/** Null where the library is not there or refuses; Problem then says what to do. */
	static TSharedPtr<FLiveTalkerVoice, ESPMode::ThreadSafe> Open(
		const FLiveTalkerConnection& Connection, const FLiveTalkerVoiceFormat& Format, FString& Problem);

	FLiveTalkerVoice(const FLiveTalkerFunctions& InFunctions, livetalker_session* InSession, const FLiveTalkerVoiceFormat& InFormat);
	~FLiveTalkerVoice();
	FLiveTalkerVoice(const FLiveTalkerVoice&) = delete;
	FLiveTalkerVoice& operator=(const FLiveTalkerVoice&) = delete;

	const FLiveTalkerVoiceFormat& GetFormat() const { return Format; }

	/** Takes interleaved samples, from one thread at a time. False: not now (lossless), or never again. */
	bool Push(const float* Samples, int32 Frames);

	/** Where on the voice's audio the next pushed sample stands, seconds. */
	double PushedSeconds() const;

	/** Where the loudspeaker is, seconds; unset: it has stopped. */
	void ReportPlayback(TOptional<double> Seconds);

	void Interrupt();
	void SetMuted(bool bMuted);
	void RematchIdentity(const FString& Identity);

	/** Writes the face for now, 52 weights. */
	bool Sample(float* Weights);

	livetalker_state GetState() const;
	int64 FramesReceived() const;

	/** Takes the oldest event. False: there is none. */
	bool NextEvent(livetalker_event& Event);

private:
	const FLiveTalkerFunctions& Functions;
	livetalker_session* const Session;
	const FLiveTalkerVoiceFormat Format;
};
