// A character that talks: add it to an actor, give it a voice, and its face is a Live Link subject.
#pragma once

#include "Components/ActorComponent.h"
#include "CoreMinimal.h"
#include "LiveTalkerConnection.h"

#include "LiveTalkerComponent.generated.h"

class FLiveTalkerMicrophone;
class FLiveTalkerSource;
class FLiveTalkerVoice;
class UAudioComponent;
class USoundWave;
struct FLiveTalkerVoiceFormat;
struct FLiveTalkerWave;

/** Where a character's stream stands. */
UENUM(BlueprintType)
enum class ELiveTalkerState : uint8
{
	/** No voice: neither a microphone nor a line was started. */
	Silent,
	/** On the way to the server. */
	Connecting,
	/** Frames come. */
	Streaming,
	/** The connection broke, or the server is full; it is tried again. */
	Reconnecting,
	/** Trying again will not help; the message says what to do. */
	Failed
};

/** How far the model listens ahead: less latency or better lips. */
UENUM(BlueprintType)
enum class ELiveTalkerPreset : uint8
{
	Default,
	Low,
	Balanced,
	Quality
};

DECLARE_DYNAMIC_MULTICAST_DELEGATE_TwoParams(FLiveTalkerIdentityMatched, FString, Identity, float, Confidence);
DECLARE_DYNAMIC_MULTICAST_DELEGATE_TwoParams(FLiveTalkerStateChanged, ELiveTalkerState, State, FString, Message);

UCLASS(ClassGroup = (LiveTalker), meta = (BlueprintSpawnableComponent))
class LIVETALKER_API ULiveTalkerComponent : public UActorComponent
{
	GENERATED_BODY()

public:
	ULiveTalkerComponent();

	/** Live Link subject of this character; None: the actor's name. */
	UPROPERTY(EditAnywhere, BlueprintReadWrite, Category = "LiveTalker")
	FName SubjectName;

	/** Whether this character uses a server of its own rather than that of the LiveTalker source in Live Link. */
	UPROPERTY(EditAnywhere, BlueprintReadWrite, Category = "LiveTalker")
	bool bOwnConnection = false;

	UPROPERTY(EditAnywhere, BlueprintReadWrite, Category = "LiveTalker", meta = (EditCondition = "bOwnConnection"))
	FLiveTalkerConnection Connection;

	UPROPERTY(EditAnywhere, BlueprintReadWrite, Category = "LiveTalker")
	ELiveTalkerPreset Preset = ELiveTalkerPreset::Default;

	/** Speaking style by name; empty: matched by the voice. */
	UPROPERTY(EditAnywhere, BlueprintReadWrite, Category = "LiveTalker")
	FString Identity;

	/** The voice was matched with a style. */
	UPROPERTY(BlueprintAssignable, Category = "LiveTalker")
	FLiveTalkerIdentityMatched OnIdentityMatched;

	/** The state has changed, or there is something to say about it. */
	UPROPERTY(BlueprintAssignable, Category = "LiveTalker")
	FLiveTalkerStateChanged OnStateChanged;

	/** Talks with a microphone; -1: the system's default. */
	UFUNCTION(BlueprintCallable, Category = "LiveTalker")
	void StartMicrophone(int32 Device = -1);

	UFUNCTION(BlueprintCallable, Category = "LiveTalker")
	void StopMicrophone();

	/** Whether the microphone is heard. Without a call it is. */
	UFUNCTION(BlueprintCallable, Category = "LiveTalker")
	void PushToTalk(bool bTalking);

	/**
	 * Says a line: plays the wave on the audio component, once its first frames are there, with the face in time. Lines
	 * follow each other; a microphone is stopped.
	 */
	UFUNCTION(BlueprintCallable, Category = "LiveTalker")
	void SendSoundWave(USoundWave* Wave, UAudioComponent* Speaker);

	/** Stops talking at once; the mouth closes. */
	UFUNCTION(BlueprintCallable, Category = "LiveTalker")
	void Interrupt();

	/** Another person speaks: matches the voice anew, or takes the named style. */
	UFUNCTION(BlueprintCallable, Category = "LiveTalker")
	void RematchIdentity(const FString& Style);

	UFUNCTION(BlueprintPure, Category = "LiveTalker")
	ELiveTalkerState GetState() const { return State; }

	/** Where the state needs words: what is wrong and what to do. */
	UFUNCTION(BlueprintPure, Category = "LiveTalker")
	FString GetMessage() const { return Message; }

	/** The 52 weights that are shown now, in ARKit order, for faces without Live Link. */
	UFUNCTION(BlueprintPure, Category = "LiveTalker")
	const TArray<float>& GetWeights() const { return Weights; }

	//~ UActorComponent
	virtual void BeginPlay() override;
	virtual void EndPlay(const EEndPlayReason::Type EndPlayReason) override;
	virtual void TickComponent(float DeltaTime, ELevelTick TickType, FActorComponentTickFunction* ThisTickFunction) override;

private:
	/** A line that waits to be pushed, or is being played. */
	struct FLine
	{
		TSharedPtr<FLiveTalkerWave, ESPMode::ThreadSafe> Wave;
		TWeakObjectPtr<USoundWave> Asset;
		TWeakObjectPtr<UAudioComponent> Speaker;
		/** Frames pushed, of the wave and of the silence after it. */
		int32 Pushed = 0;
		/** Where its first sample stands on the voice's audio, seconds. */
		double Start = 0.0;
		/** When it became the line that is pushed. */
		double Since = 0.0;
		/** Frames that the voice had received by then. */
		int64 FramesBefore = 0;
		bool bPlaying = false;
	};

	bool OpenVoice(const FLiveTalkerVoiceFormat& Format);
	void CloseVoice();
	FLiveTalkerVoiceFormat MakeFormat(int32 SampleRate, int32 Channels, bool bPlayed) const;

	void OnMicrophoneReady(int32 SampleRate, int32 Channels);
	void OnWaveDecoded(FLine Line);
	void BeginLine();
	void PumpLine();
	void PushLine(FLine& Line);
	void Play(FLine& Line);
	void OnPlayed(const UAudioComponent* Speaker, const USoundWave* Wave, float Part);
	void OnFinished(UAudioComponent* Speaker);
	void DropLines();

	void TakeEvents();
	void SetState(ELiveTalkerState InState, const FString& InMessage);

	TSharedPtr<FLiveTalkerVoice, ESPMode::ThreadSafe> Voice;
	TSharedPtr<FLiveTalkerMicrophone, ESPMode::ThreadSafe> Microphone;
	TWeakPtr<FLiveTalkerSource> Source;
	TArray<FLine> Lines;
	/** Counts what is asked for, so that an answer that comes too late is known. */
	int32 Request = 0;
	bool bTalking = true;
	ELiveTalkerState State = ELiveTalkerState::Silent;
	FString Message;
	TArray<float> Weights;
	FName Subject;
};
