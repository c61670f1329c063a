// Live Link: sources, factories, the client and its data.
#pragma once

#include "UnrealEngine.h"

class ILiveLinkSource;
class SWidget;

struct FLiveLinkSubjectName
{
	FLiveLinkSubjectName(FName InName);
	FName Name;
};
struct FLiveLinkSubjectKey
{
	FGuid Source;
	FLiveLinkSubjectName SubjectName;
};

struct FLiveLinkWorldTime
{
	FLiveLinkWorldTime();
	FLiveLinkWorldTime(const double Time);
};
struct FLiveLinkBaseStaticData
{
	TArray<FName> PropertyNames;
	static UScriptStruct* StaticStruct();
};
struct FLiveLinkBaseFrameData
{
	FLiveLinkWorldTime WorldTime;
	TArray<float> PropertyValues;
	static UScriptStruct* StaticStruct();
};

class FLiveLinkStaticDataStruct
{
public:
	explicit FLiveLinkStaticDataStruct(const UScriptStruct* Type);
	FLiveLinkStaticDataStruct(FLiveLinkStaticDataStruct&&);
	template <typename Data>
	Data* Cast();
};
class FLiveLinkFrameDataStruct
{
public:
	explicit FLiveLinkFrameDataStruct(const UScriptStruct* Type);
	FLiveLinkFrameDataStruct(FLiveLinkFrameDataStruct&&);
	template <typename Data>
	Data* Cast();
};

class ULiveLinkRole : public UObject
{
};
class ULiveLinkBasicRole : public ULiveLinkRole
{
public:
	static UClass* StaticClass();
};

class ILiveLinkClient
{
public:
	virtual ~ILiveLinkClient();
	static FName ModularFeatureName;
	virtual FGuid AddSource(TSharedPtr<ILiveLinkSource> Source) = 0;
	virtual void PushSubjectStaticData_AnyThread(const FLiveLinkSubjectKey& Key, TSubclassOf<ULiveLinkRole> Role, FLiveLinkStaticDataStruct&& Data) = 0;
	virtual void PushSubjectFrameData_AnyThread(const FLiveLinkSubjectKey& Key, FLiveLinkFrameDataStruct&& Data) = 0;
	virtual void RemoveSubject_AnyThread(const FLiveLinkSubjectKey& Key) = 0;
};

class ILiveLinkSource
{
public:
	virtual ~ILiveLinkSource();
	virtual void ReceiveClient(ILiveLinkClient* InClient, FGuid InSourceGuid) = 0;
	virtual bool IsSourceStillValid() const = 0;
	virtual bool RequestSourceShutdown() = 0;
	virtual FText GetSourceType() const = 0;
	virtual FText GetSourceMachineName() const = 0;
	virtual FText GetSourceStatus() const = 0;
};

class ULiveLinkSourceFactory : public UObject
{
public:
	enum class EMenuType
	{
		SubPanel,
		MenuEntry,
		Disabled
	};
	DECLARE_DELEGATE_TwoParams(FOnLiveLinkSourceCreated, TSharedPtr<ILiveLinkSource>, FString);
	virtual FText GetSourceDisplayName() const = 0;
	virtual FText GetSourceTooltip() const = 0;
	virtual EMenuType GetMenuType() const;
	virtual TSharedPtr<SWidget> BuildCreationPanel(FOnLiveLinkSourceCreated OnLiveLinkSourceCreated) const;
	virtual TSharedPtr<ILiveLinkSource> CreateSource(const FString& ConnectionString) const = 0;
};
