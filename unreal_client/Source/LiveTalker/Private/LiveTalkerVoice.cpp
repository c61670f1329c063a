#include "LiveTalkerVoice.h"

#include "LiveTalkerModule.h"

#include <limits>

TSharedPtr<FLiveTalkerVoice, ESPMode::ThreadSafe> FLiveTalkerVoice::Open(
	const FLiveTalkerConnection& Connection, const FLiveTalkerVoiceFormat& Format, FString& Problem)
{
	const FLiveTalkerModule* const Module = FLiveTalkerModule::Get();
	const FLiveTalkerFunctions* const Functions = Module != nullptr ? Module->GetFunctions() : nullptr;
	if (Functions == nullptr)
	{
		Problem = TEXT("the LiveTalker library is not loaded; the log says why");
		return nullptr;
	}
	// The converted strings have to live until the library has copied them.
	const FTCHARToUTF8 Address(*Connection.Address);
	const FTCHARToUTF8 Token(*Connection.Token);
	const FTCHARToUTF8 CaFile(*Connection.CaFile);
	const FTCHARToUTF8 Identity(*Format.Identity);

	livetalker_config Config;
	Functions->ConfigInit(&Config, sizeof(Config));
	Config.address = Address.Get();
	Config.tls = Connection.bTls ? 1 : 0;
	Config.tls_ca_file = Connection.bTls && !Connection.CaFile.IsEmpty() ? CaFile.Get() : nullptr;
	Config.token = Connection.Token.IsEmpty() ? nullptr : Token.Get();
	Config.identity = Format.Identity.IsEmpty() ? nullptr : Identity.Get();
	Config.sample_rate = Format.SampleRate;
	Config.channels = Format.Channels;
	Config.frame_rate = Format.FrameRate;
	Config.preset = Format.Preset;
	Config.delivery = Format.bPlayed ? LIVETALKER_DELIVERY_LOSSLESS : LIVETALKER_DELIVERY_LIVE;
	Config.clock = Format.bPlayed ? LIVETALKER_CLOCK_PLAYBACK : LIVETALKER_CLOCK_CAPTURE;

	livetalker_session* Session = nullptr;
	char Message[512] = "";
	if (Functions->Open(&Config, &Session, Message, sizeof(Message)) != LIVETALKER_OK)
	{
		Problem = UTF8_TO_TCHAR(Message);
		return nullptr;
	}
	return MakeShared<FLiveTalkerVoice, ESPMode::ThreadSafe>(*Functions, Session, Format);
}

FLiveTalkerVoice::FLiveTalkerVoice(
	const FLiveTalkerFunctions& InFunctions, livetalker_session* InSession, const FLiveTalkerVoiceFormat& InFormat)
	: Functions(InFunctions), Session(InSession), Format(InFormat)
{
}

FLiveTalkerVoice::~FLiveTalkerVoice()
{
	Functions.Close(Session);
}

bool FLiveTalkerVoice::Push(const float* Samples, int32 Frames)
{
	return Functions.PushAudio(Session, Samples, Frames) == LIVETALKER_OK;
}

double FLiveTalkerVoice::PushedSeconds() const
{
	return static_cast<double>(Functions.AudioPosition(Session)) / Format.SampleRate;
}

void FLiveTalkerVoice::ReportPlayback(TOptional<double> Seconds)
{
	Functions.ReportPlayback(Session, Seconds.Get(std::numeric_limits<double>::quiet_NaN()));
}

void FLiveTalkerVoice::Interrupt()
{
	Functions.Interrupt(Session);
}

void FLiveTalkerVoice::SetMuted(bool bMuted)
{
	Functions.SetMuted(Session, bMuted ? 1 : 0);
}

void FLiveTalkerVoice::RematchIdentity(const FString& Identity)
{
	const FTCHARToUTF8 Name(*Identity);
	Functions.RematchIdentity(Session, Identity.IsEmpty() ? nullptr : Name.Get());
}

bool FLiveTalkerVoice::Sample(float* Weights)
{
	return Functions.Sample(Session, std::numeric_limits<double>::quiet_NaN(), Weights, nullptr) == LIVETALKER_OK;
}

livetalker_state FLiveTalkerVoice::GetState() const
{
	return Functions.GetState(Session);
}

int64 FLiveTalkerVoice::FramesReceived() const
{
	livetalker_stats Stats{};
	Stats.struct_size = sizeof(Stats);
	Functions.GetStats(Session, &Stats);
	return Stats.frames_received;
}

bool FLiveTalkerVoice::NextEvent(livetalker_event& Event)
{
	Event.struct_size = sizeof(Event);
	return Functions.NextEvent(Session, &Event) == LIVETALKER_OK;
}
