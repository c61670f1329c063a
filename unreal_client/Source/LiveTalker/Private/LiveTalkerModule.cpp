#include "LiveTalkerModule.h"

#include "Features/IModularFeatures.h"
#include "ILiveLinkClient.h"
#include "LiveTalkerLibrary.h"
#include "LiveTalkerSource.h"

DEFINE_LOG_CATEGORY(LogLiveTalker);

FLiveTalkerModule::FLiveTalkerModule() = default;
FLiveTalkerModule::~FLiveTalkerModule() = default;

FLiveTalkerModule* FLiveTalkerModule::Get()
{
	return FModuleManager::GetModulePtr<FLiveTalkerModule>(TEXT("LiveTalker"));
}

void FLiveTalkerModule::StartupModule()
{
	Library = MakeUnique<FLiveTalkerLibrary>();
	Library->Load();
}

void FLiveTalkerModule::ShutdownModule()
{
	// Components have closed their sessions in EndPlay; the library waits for their threads here, as the engine exits.
	Library->Unload();
	Library.Reset();
}

const FLiveTalkerFunctions* FLiveTalkerModule::GetFunctions() const
{
	return Library.IsValid() ? Library->Get() : nullptr;
}

TSharedPtr<ILiveLinkSource> FLiveTalkerModule::MakeSource(const FLiveTalkerConnection& Connection)
{
	const TSharedPtr<FLiveTalkerSource> Made = MakeShared<FLiveTalkerSource>(Connection);
	Source = Made;
	return Made;
}

TSharedPtr<FLiveTalkerSource> FLiveTalkerModule::FindOrAddSource(const FLiveTalkerConnection& Connection)
{
	if (const TSharedPtr<FLiveTalkerSource> Present = Source.Pin())
	{
		if (Present->IsSourceStillValid())
		{
			return Present;
		}
	}
	IModularFeatures& Features = IModularFeatures::Get();
	if (!Features.IsModularFeatureAvailable(ILiveLinkClient::ModularFeatureName))
	{
		return nullptr;
	}
	const TSharedPtr<FLiveTalkerSource> Made = MakeShared<FLiveTalkerSource>(Connection);
	Source = Made;
	Features.GetModularFeature<ILiveLinkClient>(ILiveLinkClient::ModularFeatureName).AddSource(Made);
	return Made;
}

IMPLEMENT_MODULE(FLiveTalkerModule, LiveTalker)
