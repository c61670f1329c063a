// Engine and audio: objects, components, sounds, capture.
#pragma once

#include "UnrealCore.h"

class UClass;
class UScriptStruct;

class UObject
{
public:
	FName GetFName() const;
};

struct UEnum
{
	template <typename Enum>
	static FString GetValueAsString(Enum Value);
};

template <typename T>
class TObjectPtr
{
};

template <typename T>
class TWeakObjectPtr
{
public:
	TWeakObjectPtr();
	TWeakObjectPtr(T* Object);
	T* Get() const;
};

template <typename T>
class TSubclassOf
{
public:
	TSubclassOf(UClass* Class);
};

class AActor : public UObject
{
};

namespace EEndPlayReason
{
enum Type
{
	Destroyed,
	Quit
};
}
enum ELevelTick
{
	LEVELTICK_All
};
struct FActorComponentTickFunction
{
	bool bCanEverTick;
};

class UActorComponent : public UObject
{
public:
	FActorComponentTickFunction PrimaryComponentTick;
	AActor* GetOwner() const;
	virtual void BeginPlay();
	virtual void EndPlay(const EEndPlayReason::Type EndPlayReason);
	virtual void TickComponent(float DeltaTime, ELevelTick TickType, FActorComponentTickFunction* ThisTickFunction);
};

// The generated header of each class names its base; the plugin's component is the only one that says Super.
typedef UActorComponent Super;

// Sounds.
class FSoundWaveProxy
{
};
typedef TSharedPtr<FSoundWaveProxy, ESPMode::ThreadSafe> FSoundWaveProxyPtr;

class USoundBase : public UObject
{
};
class USoundWave : public USoundBase
{
public:
	FSoundWaveProxyPtr CreateSoundWaveProxy();
};

namespace Audio
{
typedef TArray<float> FAlignedFloatBuffer;
}

class FSoundWaveProxyReader
{
public:
	struct FSettings
	{
		uint32 MaxDecodeSizeInFrames;
		float StartTimeInSeconds;
		bool bIsLooping;
	};
	static TUniquePtr<FSoundWaveProxyReader> Create(TSharedRef<FSoundWaveProxy, ESPMode::ThreadSafe> Proxy, const FSettings& Settings);
	float GetSampleRate() const;
	int32 GetNumChannels() const;
	int32 PopAudio(Audio::FAlignedFloatBuffer& Buffer);
	bool CanProduceMoreAudio() const;
};

class UAudioComponent : public UObject
{
public:
	TMulticastDelegate<const UAudioComponent*, const USoundWave*, float> OnAudioPlaybackPercentNative;
	TMulticastDelegate<UAudioComponent*> OnAudioFinishedNative;
	void SetSound(USoundBase* Sound);
	virtual void Play(float StartTime = 0.f);
	virtual void Stop();
};

// Capture.
namespace Audio
{
struct FCaptureDeviceInfo
{
	FString DeviceName;
	FString DeviceId;
	int32 InputChannels;
	int32 PreferredSampleRate;
};
struct FAudioCaptureDeviceParams
{
	bool bUseHardwareAEC;
	int32 DeviceIndex;
	int32 NumInputChannels;
	int32 SampleRate;
};
typedef TFunction<void(const void* Samples, int32 Frames, int32 Channels, int32 SampleRate, double StreamTime, bool bOverflow)> FOnAudioCaptureFunction;

class FAudioCapture
{
public:
	FAudioCapture();
	~FAudioCapture();
	bool GetCaptureDeviceInfo(FCaptureDeviceInfo& Info, int32 DeviceIndex = INDEX_NONE);
	bool OpenAudioCaptureStream(const FAudioCaptureDeviceParams& Params, FOnAudioCaptureFunction OnCapture, uint32 FramesDesired);
	bool StartStream();
	bool AbortStream();
	int32 GetSampleRate() const;
};
}
