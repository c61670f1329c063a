#include "LiveTalkerSourceFactory.h"

#include "ILiveLinkSource.h"
#include "LiveTalkerModule.h"

#define LOCTEXT_NAMESPACE "LiveTalkerSourceFactory"

ULiveTalkerSourceFactory::FBuildPanel ULiveTalkerSourceFactory::BuildPanel;

FText ULiveTalkerSourceFactory::GetSourceDisplayName() const
{
	return LOCTEXT("Name", "LiveTalker");
}

FText ULiveTalkerSourceFactory::GetSourceTooltip() const
{
	return LOCTEXT("Tooltip", "Faces that a LiveTalker server makes of voices");
}

TSharedPtr<SWidget> ULiveTalkerSourceFactory::BuildCreationPanel(FOnLiveLinkSourceCreated OnLiveLinkSourceCreated) const
{
	return BuildPanel.IsBound() ? BuildPanel.Execute(OnLiveLinkSourceCreated) : TSharedPtr<SWidget>();
}

TSharedPtr<ILiveLinkSource> ULiveTalkerSourceFactory::CreateSource(const FString& ConnectionString) const
{
	FLiveTalkerModule* const Module = FLiveTalkerModule::Get();
	return Module != nullptr ? Module->MakeSource(FLiveTalkerConnection::FromString(ConnectionString)) : nullptr;
}

#undef LOCTEXT_NAMESPACE
