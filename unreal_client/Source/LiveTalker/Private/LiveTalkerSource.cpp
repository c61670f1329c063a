#include "LiveTalkerSource.h"

#include "HAL/PlatformTime.h"
#include "ILiveLinkClient.h"
#include "LiveLinkTypes.h"
#include "LiveTalkerLibrary.h"
#include "LiveTalkerModule.h"
#include "Roles/LiveLinkBasicRole.h"

#define LOCTEXT_NAMESPACE "LiveTalkerSource"

FLiveTalkerSource::FLiveTalkerSource(const FLiveTalkerConnection& InConnection)
	: Connection(InConnection), Status(LOCTEXT("Waiting", "Waiting for a character"))
{
}

void FLiveTalkerSource::PushFace(FName Subject, const float* Weights)
{
	if (Client == nullptr || bShutDown)
	{
		return;
	}
	if (!Subjects.Contains(Subject))
	{
		Announce(Subject);
	}
	FLiveLinkFrameDataStruct Struct(FLiveLinkBaseFrameData::StaticStruct());
	FLiveLinkBaseFrameData& Frame = *Struct.Cast<FLiveLinkBaseFrameData>();
	Frame.WorldTime = FPlatformTime::Seconds();
	Frame.PropertyValues.Append(Weights, LIVETALKER_BLENDSHAPES);
	Client->PushSubjectFrameData_AnyThread({SourceGuid, Subject}, MoveTemp(Struct));
}

void FLiveTalkerSource::Announce(FName Subject)
{
	const FLiveTalkerModule* const Module = FLiveTalkerModule::Get();
	const FLiveTalkerFunctions* const Functions = Module != nullptr ? Module->GetFunctions() : nullptr;
	if (Functions == nullptr)
	{
		return;
	}
	FLiveLinkStaticDataStruct Struct(FLiveLinkBaseStaticData::StaticStruct());
	FLiveLinkBaseStaticData& Static = *Struct.Cast<FLiveLinkBaseStaticData>();
	Static.PropertyNames.Reserve(LIVETALKER_BLENDSHAPES);
	for (int32 Index = 0; Index < LIVETALKER_BLENDSHAPES; ++Index)
	{
		// Names compare without case, so that "jawOpen" is the "JawOpen" that MetaHumans and the Live Link Face app say.
		Static.PropertyNames.Add(FName(Functions->BlendshapeName(Index)));
	}
	Client->PushSubjectStaticData_AnyThread({SourceGuid, Subject}, ULiveLinkBasicRole::StaticClass(), MoveTemp(Struct));
	Subjects.Add(Subject);
}

void FLiveTalkerSource::RemoveSubject(FName Subject)
{
	if (Client != nullptr && Subjects.Remove(Subject) > 0)
	{
		Client->RemoveSubject_AnyThread({SourceGuid, Subject});
	}
}

void FLiveTalkerSource::ReceiveClient(ILiveLinkClient* InClient, FGuid InSourceGuid)
{
	Client = InClient;
	SourceGuid = InSourceGuid;
}

bool FLiveTalkerSource::IsSourceStillValid() const
{
	return !bShutDown;
}

bool FLiveTalkerSource::RequestSourceShutdown()
{
	// There is no thread here to wait for: sessions belong to the characters.
	bShutDown = true;
	Client = nullptr;
	Subjects.Reset();
	return true;
}

FText FLiveTalkerSource::GetSourceType() const
{
	return LOCTEXT("Type", "LiveTalker");
}

FText FLiveTalkerSource::GetSourceMachineName() const
{
	return FText::FromString(Connection.Address);
}

FText FLiveTalkerSource::GetSourceStatus() const
{
	return Status;
}

#undef LOCTEXT_NAMESPACE
