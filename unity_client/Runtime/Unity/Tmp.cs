namespace LiveTalker.Unity { }
