// The samples of a SoundWave, decoded away from the game thread; works in cooked games, too.
#pragma once

#include "CoreMinimal.h"

class USoundWave;

struct FLiveTalkerWave
{
	int32 SampleRate = 0;
	int32 Channels = 0;
	/** Interleaved, full scale -1 to 1; empty where the wave could not be decoded. */
	TArray<float> Samples;

	int32 Frames() const { return Channels > 0 ? Samples.Num() / Channels : 0; }
	double Seconds() const { return SampleRate > 0 ? static_cast<double>(Frames()) / SampleRate : 0.0; }

	using FDecoded = TFunction<void(TSharedRef<FLiveTalkerWave, ESPMode::ThreadSafe>)>;

	/** Of the game thread; Decoded is called there, too. */
	static void Decode(USoundWave& Wave, FDecoded Decoded);
};
