// The client library's functions, found in the shared library by name. Nothing is linked: see LiveTalker.Build.cs.
#pragma once

#include "CoreMinimal.h"

#include <livetalker/livetalker.h>

/** Every function of livetalker.h that the plugin uses. */
struct FLiveTalkerFunctions
{
	decltype(&livetalker_api_version) ApiVersion = nullptr;
	decltype(&livetalker_blendshape_name) BlendshapeName = nullptr;
	decltype(&livetalker_config_init) ConfigInit = nullptr;
	decltype(&livetalker_open) Open = nullptr;
	decltype(&livetalker_close) Close = nullptr;
	decltype(&livetalker_shutdown) Shutdown = nullptr;
	decltype(&livetalker_push_audio) PushAudio = nullptr;
	decltype(&livetalker_audio_position) AudioPosition = nullptr;
	decltype(&livetalker_interrupt) Interrupt = nullptr;
	decltype(&livetalker_set_muted) SetMuted = nullptr;
	decltype(&livetalker_rematch_identity) RematchIdentity = nullptr;
	decltype(&livetalker_report_playback) ReportPlayback = nullptr;
	decltype(&livetalker_sample) Sample = nullptr;
	decltype(&livetalker_get_state) GetState = nullptr;
	decltype(&livetalker_get_stats) GetStats = nullptr;
	decltype(&livetalker_next_event) NextEvent = nullptr;
};

/** Loads the library for the lifetime of the module. Of the game thread. */
class FLiveTalkerLibrary
{
public:
	/** False: it is missing or of another version, and the log says what to do. */
	bool Load();

	/** Waits for the library's threads, then lets it go. */
	void Unload();

	/** The functions; null while the library is not loaded. */
	const FLiveTalkerFunctions* Get() const { return Handle != nullptr ? &Functions : nullptr; }

private:
	static FString Path();

	void* Handle = nullptr;
	FLiveTalkerFunctions Functions;
};
