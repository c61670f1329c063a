// The editor module: gives the source factory its panel.
#include "CoreMinimal.h"
#include "LiveTalkerSourceFactory.h"
#include "Modules/ModuleManager.h"
#include "SLiveTalkerSourcePanel.h"

class FLiveTalkerEditorModule : public IModuleInterface
{
public:
	virtual void StartupModule() override
	{
		ULiveTalkerSourceFactory::BuildPanel.BindLambda([](ULiveLinkSourceFactory::FOnLiveLinkSourceCreated OnCreated) -> TSharedPtr<SWidget>
		{
			return SNew(SLiveTalkerSourcePanel).OnSourceCreated(OnCreated);
		});
	}

	virtual void ShutdownModule() override
	{
		ULiveTalkerSourceFactory::BuildPanel.Unbind();
	}
};

IMPLEMENT_MODULE(FLiveTalkerEditorModule, LiveTalkerEditor)
