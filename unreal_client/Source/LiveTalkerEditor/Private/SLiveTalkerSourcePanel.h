// The panel in the Live Link window: address, TLS, token, and a button that adds the source.
#pragma once

#include "CoreMinimal.h"
#include "LiveTalkerConnection.h"
#include "LiveTalkerSourceFactory.h"
#include "Widgets/DeclarativeSyntaxSupport.h"
#include "Widgets/SCompoundWidget.h"

class SLiveTalkerSourcePanel : public SCompoundWidget
{
public:
	SLATE_BEGIN_ARGS(SLiveTalkerSourcePanel) {}
		SLATE_EVENT(ULiveLinkSourceFactory::FOnLiveLinkSourceCreated, OnSourceCreated)
	SLATE_END_ARGS()

	void Construct(const FArguments& InArgs);

private:
	FReply OnAdd();

	FLiveTalkerConnection Connection;
	ULiveLinkSourceFactory::FOnLiveLinkSourceCreated OnSourceCreated;
};
