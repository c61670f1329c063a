// Makes LiveTalker sources: from the panel in the Live Link window, or from the connection string of a preset.
#pragma once

#include "CoreMinimal.h"
#include "LiveLinkSourceFactory.h"

#include "LiveTalkerSourceFactory.generated.h"

UCLASS()
class LIVETALKER_API ULiveTalkerSourceFactory : public ULiveLinkSourceFactory
{
	GENERATED_BODY()

public:
	/** Builds the panel; the editor module sets it, because a game has no such window. */
	DECLARE_DELEGATE_RetVal_OneParam(TSharedPtr<SWidget>, FBuildPanel, FOnLiveLinkSourceCreated);
	static FBuildPanel BuildPanel;

	//~ ULiveLinkSourceFactory
	virtual FText GetSourceDisplayName() const override;
	virtual FText GetSourceTooltip() const override;
	virtual EMenuType GetMenuType() const override { return EMenuType::SubPanel; }
	virtual TSharedPtr<SWidget> BuildCreationPanel(FOnLiveLinkSourceCreated OnLiveLinkSourceCreated) const override;
	virtual TSharedPtr<ILiveLinkSource> CreateSource(const FString& ConnectionString) const override;
};
