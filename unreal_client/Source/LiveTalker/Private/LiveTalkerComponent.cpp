#include "LiveTalkerComponent.h"

#include "Components/AudioComponent.h"
#include "GameFramework/Actor.h"
#include "HAL/PlatformTime.h"
#include "LiveTalkerMicrophone.h"
#include "LiveTalkerModule.h"
#include "LiveTalkerSource.h"
#include "LiveTalkerVoice.h"
#include "LiveTalkerWave.h"
#include "Sound/SoundWave.h"

namespace
{

constexpr double SecondsPerPush = 0.25;
/** Silence after a line: the last frames wait for what follows them. */
constexpr double TailSeconds = 0.5;
/** Frames that are there before a line is heard, and the longest wait for them. */
constexpr int64 FramesAhead = 12;
constexpr double LongestWaitSeconds = 2.0;

ELiveTalkerState ToState(livetalker_state State)
{
	switch (State)
	{
	case LIVETALKER_STATE_STREAMING:
		return ELiveTalkerState::Streaming;
	case LIVETALKER_STATE_RECONNECTING:
		return ELiveTalkerState::Reconnecting;
	case LIVETALKER_STATE_FAILED:
		return ELiveTalkerState::Failed;
	case LIVETALKER_STATE_ENDED:
		return ELiveTalkerState::Silent;
	default:
		return ELiveTalkerState::Connecting;
	}
}

} // namespace

ULiveTalkerComponent::ULiveTalkerComponent()
{
	PrimaryComponentTick.bCanEverTick = true;
	Weights.SetNumZeroed(LIVETALKER_BLENDSHAPES);
}

void ULiveTalkerComponent::BeginPlay()
{
	Super::BeginPlay();
	Subject = !SubjectName.IsNone() || GetOwner() == nullptr ? SubjectName : GetOwner()->GetFName();
	if (FLiveTalkerModule* const Module = FLiveTalkerModule::Get())
	{
		Source = Module->FindOrAddSource(Connection);
	}
}

void ULiveTalkerComponent::EndPlay(const EEndPlayReason::Type EndPlayReason)
{
	++Request;
	DropLines();
	FLiveTalkerMicrophone::Close(Microphone);
	CloseVoice();
	if (const TSharedPtr<FLiveTalkerSource> Present = Source.Pin())
	{
		Present->RemoveSubject(Subject);
	}
	Super::EndPlay(EndPlayReason);
}

// Voices ---------------------------------------------------------------------------------------------------------------

FLiveTalkerVoiceFormat ULiveTalkerComponent::MakeFormat(int32 SampleRate, int32 Channels, bool bPlayed) const
{
	FLiveTalkerVoiceFormat Format;
	Format.SampleRate = SampleRate;
	Format.Channels = Channels;
	Format.Preset = static_cast<int32>(Preset);
	Format.bPlayed = bPlayed;
	Format.Identity = Identity;
	return Format;
}

bool ULiveTalkerComponent::OpenVoice(const FLiveTalkerVoiceFormat& Format)
{
	if (Voice.IsValid() && Voice->GetFormat().SameStream(Format) && Voice->GetState() != LIVETALKER_STATE_FAILED)
	{
		return true; // it goes on, and with it the style that was matched
	}
	CloseVoice();
	const TSharedPtr<FLiveTalkerSource> Present = Source.Pin();
	FString Problem;
	Voice = FLiveTalkerVoice::Open(bOwnConnection || !Present.IsValid() ? Connection : Present->GetConnection(), Format, Problem);
	if (!Voice.IsValid())
	{
		SetState(ELiveTalkerState::Failed, Problem);
		return false;
	}
	SetState(ELiveTalkerState::Connecting, FString());
	return Voice.IsValid(); // a Blueprint that was just told may have closed it
}

void ULiveTalkerComponent::CloseVoice()
{
	Voice.Reset();
	SetState(ELiveTalkerState::Silent, FString());
}

void ULiveTalkerComponent::StartMicrophone(int32 Device)
{
	StopMicrophone();
	DropLines();
	const int32 Asked = ++Request;
	Microphone = FLiveTalkerMicrophone::Open(
		Device, [Weak = TWeakObjectPtr<ULiveTalkerComponent>(this), Asked](int32 SampleRate, int32 Channels)
		{
			ULiveTalkerComponent* const Alive = Weak.Get();
			if (Alive != nullptr && Alive->Request == Asked)
			{
				Alive->OnMicrophoneReady(SampleRate, Channels);
			}
		});
}

void ULiveTalkerComponent::OnMicrophoneReady(int32 SampleRate, int32 Channels)
{
	if (SampleRate <= 0)
	{
		FLiveTalkerMicrophone::Close(Microphone);
		SetState(ELiveTalkerState::Failed, TEXT("the microphone cannot be opened; check that it is plugged in and allowed"));
		return;
	}
	if (OpenVoice(MakeFormat(SampleRate, Channels, false)) && Microphone.IsValid())
	{
		Voice->SetMuted(!bTalking);
		Microphone->SetVoice(Voice);
	}
}

void ULiveTalkerComponent::StopMicrophone()
{
	if (Microphone.IsValid())
	{
		++Request;
		FLiveTalkerMicrophone::Close(Microphone);
		CloseVoice();
	}
}

void ULiveTalkerComponent::PushToTalk(bool bInTalking)
{
	bTalking = bInTalking;
	if (Voice.IsValid() && !Voice->GetFormat().bPlayed)
	{
		Voice->SetMuted(!bTalking);
	}
}

void ULiveTalkerComponent::Interrupt()
{
	DropLines();
	if (Voice.IsValid())
	{
		Voice->Interrupt();
	}
}

void ULiveTalkerComponent::RematchIdentity(const FString& Style)
{
	Identity = Style;
	if (Voice.IsValid())
	{
		Voice->RematchIdentity(Style);
	}
}

// Lines ----------------------------------------------------------------------------------------------------------------

void ULiveTalkerComponent::SendSoundWave(USoundWave* Wave, UAudioComponent* Speaker)
{
	if (Wave == nullptr || Speaker == nullptr)
	{
		SetState(State, TEXT("SendSoundWave needs a SoundWave and the audio component that plays it"));
		return;
	}
	StopMicrophone();
	FLine Line;
	Line.Asset = Wave;
	Line.Speaker = Speaker;
	const int32 Asked = Request;
	FLiveTalkerWave::Decode(*Wave,
		[Weak = TWeakObjectPtr<ULiveTalkerComponent>(this), Asked, Line](TSharedRef<FLiveTalkerWave, ESPMode::ThreadSafe> Decoded) mutable
		{
			ULiveTalkerComponent* const Alive = Weak.Get();
			if (Alive != nullptr && Alive->Request == Asked)
			{
				Line.Wave = Decoded;
				Alive->OnWaveDecoded(MoveTemp(Line));
			}
		});
}

void ULiveTalkerComponent::OnWaveDecoded(FLine Line)
{
	if (Line.Wave->Frames() == 0)
	{
		SetState(State, TEXT("the SoundWave cannot be decoded; procedural waves hold no samples"));
		return;
	}
	Lines.Add(MoveTemp(Line));
	if (Lines.Num() == 1)
	{
		BeginLine();
	}
}

void ULiveTalkerComponent::BeginLine()
{
	const int32 Asked = Request;
	if (!OpenVoice(MakeFormat(Lines[0].Wave->SampleRate, Lines[0].Wave->Channels, true)))
	{
		Lines.Reset();
		return;
	}
	if (Request != Asked)
	{
		return; // a Blueprint that was just told has dropped the line
	}
	FLine& Line = Lines[0];
	Voice->ReportPlayback({});
	Line.Start = Voice->PushedSeconds();
	Line.Since = FPlatformTime::Seconds();
	Line.FramesBefore = Voice->FramesReceived();
}

void ULiveTalkerComponent::PumpLine()
{
	FLine& Line = Lines[0];
	PushLine(Line);
	if (Line.bPlaying)
	{
		return;
	}
	// A server that does not answer must not silence the game.
	const bool bReady = Voice->FramesReceived() - Line.FramesBefore >= FramesAhead;
	if (bReady || FPlatformTime::Seconds() - Line.Since > LongestWaitSeconds)
	{
		Play(Line);
	}
}

void ULiveTalkerComponent::PushLine(FLine& Line)
{
	const FLiveTalkerWave& Wave = *Line.Wave;
	const int32 Piece = FMath::RoundToInt(SecondsPerPush * Wave.SampleRate);
	const int32 End = Wave.Frames() + FMath::RoundToInt(TailSeconds * Wave.SampleRate);
	TArray<float> Silence;
	while (Line.Pushed < End)
	{
		const bool bWave = Line.Pushed < Wave.Frames();
		const int32 Frames = FMath::Min(Piece, (bWave ? Wave.Frames() : End) - Line.Pushed);
		Silence.SetNumZeroed(bWave ? 0 : Frames * Wave.Channels);
		if (!Voice->Push(bWave ? Wave.Samples.GetData() + Line.Pushed * Wave.Channels : Silence.GetData(), Frames))
		{
			return; // the server has enough for now
		}
		Line.Pushed += Frames;
	}
}

void ULiveTalkerComponent::Play(FLine& Line)
{
	Line.bPlaying = true;
	UAudioComponent* const Speaker = Line.Speaker.Get();
	USoundWave* const Asset = Line.Asset.Get();
	if (Speaker == nullptr || Asset == nullptr)
	{
		OnFinished(nullptr);
		return;
	}
	Speaker->OnAudioPlaybackPercentNative.AddUObject(this, &ULiveTalkerComponent::OnPlayed);
	Speaker->OnAudioFinishedNative.AddUObject(this, &ULiveTalkerComponent::OnFinished);
	Speaker->SetSound(Asset);
	Speaker->Play();
}

void ULiveTalkerComponent::OnPlayed(const UAudioComponent* Speaker, const USoundWave* Wave, float Part)
{
	if (Voice.IsValid() && Lines.Num() > 0 && Lines[0].bPlaying && Lines[0].Asset.Get() == Wave)
	{
		Voice->ReportPlayback(Lines[0].Start + static_cast<double>(Part) * Lines[0].Wave->Seconds());
	}
}

void ULiveTalkerComponent::OnFinished(UAudioComponent* Speaker)
{
	if (Speaker != nullptr)
	{
		Speaker->OnAudioPlaybackPercentNative.RemoveAll(this);
		Speaker->OnAudioFinishedNative.RemoveAll(this);
	}
	if (Lines.Num() == 0)
	{
		return;
	}
	Lines.RemoveAt(0);
	if (Lines.Num() > 0)
	{
		BeginLine();
	}
}

void ULiveTalkerComponent::DropLines()
{
	++Request; // those that are still being decoded
	TArray<FLine> Dropped = MoveTemp(Lines);
	Lines.Reset();
	for (const FLine& Line : Dropped)
	{
		UAudioComponent* const Speaker = Line.Speaker.Get();
		if (Line.bPlaying && Speaker != nullptr)
		{
			Speaker->OnAudioPlaybackPercentNative.RemoveAll(this);
			Speaker->OnAudioFinishedNative.RemoveAll(this);
			Speaker->Stop();
		}
	}
}

// Every frame ----------------------------------------------------------------------------------------------------------

void ULiveTalkerComponent::TickComponent(float DeltaTime, ELevelTick TickType, FActorComponentTickFunction* ThisTickFunction)
{
	Super::TickComponent(DeltaTime, TickType, ThisTickFunction);
	if (!Voice.IsValid())
	{
		return;
	}
	TakeEvents();
	if (Voice.IsValid() && Lines.Num() > 0)
	{
		PumpLine();
	}
	if (Voice.IsValid() && Voice->Sample(Weights.GetData()))
	{
		if (const TSharedPtr<FLiveTalkerSource> Present = Source.Pin())
		{
			Present->PushFace(Subject, Weights.GetData());
		}
	}
}

void ULiveTalkerComponent::TakeEvents()
{
	livetalker_event Event;
	// A Blueprint that is told may close the voice.
	for (TSharedPtr<FLiveTalkerVoice, ESPMode::ThreadSafe> Heard = Voice; Heard == Voice && Heard->NextEvent(Event);)
	{
		const FString Words = UTF8_TO_TCHAR(Event.message);
		switch (Event.kind)
		{
		case LIVETALKER_EVENT_IDENTITY:
			OnIdentityMatched.Broadcast(UTF8_TO_TCHAR(Event.name), Event.confidence);
			break;
		case LIVETALKER_EVENT_RETRYING:
		case LIVETALKER_EVENT_FAILED:
			UE_LOG(LogLiveTalker, Warning, TEXT("%s: %s"), *Subject.ToString(), *Words);
			SetState(ToState(Heard->GetState()), Words);
			break;
		case LIVETALKER_EVENT_STARTED:
		case LIVETALKER_EVENT_RESUMED:
			SetState(ELiveTalkerState::Streaming, FString());
			break;
		case LIVETALKER_EVENT_WARNING:
			UE_LOG(LogLiveTalker, Warning, TEXT("%s: %s"), *Subject.ToString(), *Words);
			break;
		default:
			UE_LOG(LogLiveTalker, Verbose, TEXT("%s: %s"), *Subject.ToString(), *Words);
			break;
		}
	}
}

void ULiveTalkerComponent::SetState(ELiveTalkerState InState, const FString& InMessage)
{
	if (State == InState && Message == InMessage)
	{
		return;
	}
	State = InState;
	Message = InMessage;
	if (const TSharedPtr<FLiveTalkerSource> Present = Source.Pin())
	{
		Present->SetStatus(FText::FromString(Message.IsEmpty() ? UEnum::GetValueAsString(State) : Message));
	}
	OnStateChanged.Broadcast(State, Message);
}
