using UnrealBuildTool;

// The editor module: the panel in the Live Link window that adds a LiveTalker source.
public class LiveTalkerEditor : ModuleRules
{
	public LiveTalkerEditor(ReadOnlyTargetRules Target) : base(Target)
	{
		PCHUsage = PCHUsageMode.UseExplicitOrSharedPCHs;
		PrivateDependencyModuleNames.AddRange(new[]
		{
			"Core", "CoreUObject", "Engine", "LiveLinkInterface", "LiveTalker", "Slate", "SlateCore"
		});
	}
}
