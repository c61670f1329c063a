#include "LiveTalkerWave.h"

#include "Async/Async.h"
#include "Sound/SoundWave.h"
#include "Sound/SoundWaveProxyReader.h"

namespace
{

constexpr int32 FramesPerRead = 4096;

void ReadAll(const FSoundWaveProxyPtr& Proxy, FLiveTalkerWave& Wave)
{
	if (!Proxy.IsValid())
	{
		return;
	}
	FSoundWaveProxyReader::FSettings Settings;
	Settings.MaxDecodeSizeInFrames = FramesPerRead;
	const TUniquePtr<FSoundWaveProxyReader> Reader = FSoundWaveProxyReader::Create(Proxy.ToSharedRef(), Settings);
	if (!Reader.IsValid())
	{
		return;
	}
	Wave.SampleRate = FMath::RoundToInt(Reader->GetSampleRate());
	Wave.Channels = Reader->GetNumChannels();
	Audio::FAlignedFloatBuffer Piece;
	Piece.SetNumZeroed(FramesPerRead * Wave.Channels);
	while (Reader->CanProduceMoreAudio())
	{
		const int32 Got = Reader->PopAudio(Piece);
		if (Got <= 0)
		{
			break;
		}
		Wave.Samples.Append(Piece.GetData(), Got);
	}
}

} // namespace

void FLiveTalkerWave::Decode(USoundWave& Wave, FDecoded Decoded)
{
	// The proxy holds what a decoder needs, so that the asset itself may go.
	Async(EAsyncExecution::ThreadPool, [Proxy = Wave.CreateSoundWaveProxy(), Decoded = MoveTemp(Decoded)]() mutable
	{
		const TSharedRef<FLiveTalkerWave, ESPMode::ThreadSafe> Made = MakeShared<FLiveTalkerWave, ESPMode::ThreadSafe>();
		ReadAll(Proxy, *Made);
		AsyncTask(ENamedThreads::GameThread, [Decoded = MoveTemp(Decoded), Made]() { Decoded(Made); });
	});
}
