using System.IO;
using UnrealBuildTool;

// The runtime module. It links nothing of the client library: that is loaded by its own handle when the module starts,
// so that the gRPC, OpenSSL and abseil inside it never meet those of the engine.
public class LiveTalker : ModuleRules
{
	public LiveTalker(ReadOnlyTargetRules Target) : base(Target)
	{
		PCHUsage = PCHUsageMode.UseExplicitOrSharedPCHs;
		PublicDependencyModuleNames.AddRange(new[] { "Core", "CoreUObject", "Engine", "LiveLinkInterface" });
		PrivateDependencyModuleNames.AddRange(new[] { "AudioCaptureCore", "Projects", "SignalProcessing" });

		PrivateIncludePaths.Add(Path.Combine(PluginDirectory, "core", "include"));
		PrivateDefinitions.Add("LIVETALKER_LOADED_AT_RUNTIME=1");

		string Library = null;
		if (Target.Platform == UnrealTargetPlatform.Win64)
		{
			Library = "Win64/liblivetalker.dll";
		}
		else if (Target.Platform == UnrealTargetPlatform.Mac)
		{
			Library = "Mac/liblivetalker.dylib";
		}
		else if (Target.Platform == UnrealTargetPlatform.Linux)
		{
			Library = "Linux/liblivetalker.so";
		}
		if (Library != null)
		{
			// Copied beside a packaged game; see LiveTalkerLibrary.cpp for where it is looked for.
			RuntimeDependencies.Add(Path.Combine("$(PluginDir)", "Binaries", "ThirdParty", Library));
		}
	}
}
