// Declarations of just the Unreal API that the plugin uses, written by hand after the engine's public documentation, so
// that the plugin's code can be checked for syntax and types without the engine. Nothing here is ever run or linked.
#pragma once

#include "UnrealCore.h"
#include "UnrealEngine.h"
#include "UnrealLiveLink.h"
#include "UnrealSlate.h"
