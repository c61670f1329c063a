// The module: holds the client library, and the Live Link source that the characters' faces go through.
#pragma once

#include "CoreMinimal.h"
#include "LiveTalkerConnection.h"
#include "Modules/ModuleManager.h"

LIVETALKER_API DECLARE_LOG_CATEGORY_EXTERN(LogLiveTalker, Log, All);

class FLiveTalkerLibrary;
class FLiveTalkerSource;
class ILiveLinkSource;
struct FLiveTalkerFunctions;

class LIVETALKER_API FLiveTalkerModule : public IModuleInterface
{
public:
	FLiveTalkerModule();
	virtual ~FLiveTalkerModule() override;

	/** The module, or null while the engine shuts down. */
	static FLiveTalkerModule* Get();

	virtual void StartupModule() override;
	virtual void ShutdownModule() override;

	/** The client library's functions; null where it could not be loaded. */
	const FLiveTalkerFunctions* GetFunctions() const;

	/** Makes the Live Link source; from then on it is the one that characters use. */
	TSharedPtr<ILiveLinkSource> MakeSource(const FLiveTalkerConnection& Connection);

	/** The source that characters use. Where there is none, one is made and added to Live Link. */
	TSharedPtr<FLiveTalkerSource> FindOrAddSource(const FLiveTalkerConnection& Connection);

private:
	TUniquePtr<FLiveTalkerLibrary> Library;
	TWeakPtr<FLiveTalkerSource> Source;
};
