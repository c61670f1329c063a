#include "LiveTalkerLibrary.h"

#include "HAL/PlatformProcess.h"
#include "Interfaces/IPluginManager.h"
#include "LiveTalkerModule.h"
#include "Misc/Paths.h"

namespace
{

template <typename FunctionType>
bool Find(void* Handle, const TCHAR* Name, FunctionType& Function)
{
	Function = reinterpret_cast<FunctionType>(FPlatformProcess::GetDllExport(Handle, Name));
	return Function != nullptr;
}

bool FindAll(void* Handle, FLiveTalkerFunctions& Functions)
{
	return Find(Handle, TEXT("livetalker_api_version"), Functions.ApiVersion)
		&& Find(Handle, TEXT("livetalker_blendshape_name"), Functions.BlendshapeName)
		&& Find(Handle, TEXT("livetalker_config_init"), Functions.ConfigInit)
		&& Find(Handle, TEXT("livetalker_open"), Functions.Open)
		&& Find(Handle, TEXT("livetalker_close"), Functions.Close)
		&& Find(Handle, TEXT("livetalker_shutdown"), Functions.Shutdown)
		&& Find(Handle, TEXT("livetalker_push_audio"), Functions.PushAudio)
		&& Find(Handle, TEXT("livetalker_audio_position"), Functions.AudioPosition)
		&& Find(Handle, TEXT("livetalker_interrupt"), Functions.Interrupt)
		&& Find(Handle, TEXT("livetalker_set_muted"), Functions.SetMuted)
		&& Find(Handle, TEXT("livetalker_rematch_identity"), Functions.RematchIdentity)
		&& Find(Handle, TEXT("livetalker_report_playback"), Functions.ReportPlayback)
		&& Find(Handle, TEXT("livetalker_sample"), Functions.Sample)
		&& Find(Handle, TEXT("livetalker_get_state"), Functions.GetState)
		&& Find(Handle, TEXT("livetalker_get_stats"), Functions.GetStats)
		&& Find(Handle, TEXT("livetalker_next_event"), Functions.NextEvent);
}

} // namespace

FString FLiveTalkerLibrary::Path()
{
	const TSharedPtr<IPlugin> Plugin = IPluginManager::Get().FindPlugin(TEXT("LiveTalker"));
	const FString Base = Plugin.IsValid() ? Plugin->GetBaseDir() : FString();
#if PLATFORM_WINDOWS
	return FPaths::Combine(Base, TEXT("Binaries/ThirdParty/Win64/liblivetalker.dll"));
#elif PLATFORM_MAC
	return FPaths::Combine(Base, TEXT("Binaries/ThirdParty/Mac/liblivetalker.dylib"));
#else
	return FPaths::Combine(Base, TEXT("Binaries/ThirdParty/Linux/liblivetalker.so"));
#endif
}

bool FLiveTalkerLibrary::Load()
{
	const FString File = Path();
	void* const Loaded = FPlatformProcess::GetDllHandle(*File);
	if (Loaded == nullptr)
	{
		UE_LOG(LogLiveTalker, Error, TEXT("%s cannot be loaded; build it as the plugin's README says"), *File);
		return false;
	}
	if (!FindAll(Loaded, Functions) || Functions.ApiVersion() != LIVETALKER_API_VERSION)
	{
		UE_LOG(LogLiveTalker, Error, TEXT("%s is of another version than the plugin; build it again"), *File);
		FPlatformProcess::FreeDllHandle(Loaded);
		return false;
	}
	Handle = Loaded;
	return true;
}

void FLiveTalkerLibrary::Unload()
{
	if (Handle == nullptr)
	{
		return;
	}
	Functions.Shutdown();
	FPlatformProcess::FreeDllHandle(Handle);
	Handle = nullptr;
}
