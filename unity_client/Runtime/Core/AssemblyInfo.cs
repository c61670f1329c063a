// Lets the package's own tests see what users need not.
using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("LiveTalker.Core.Tests")]
