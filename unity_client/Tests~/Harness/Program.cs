// Runs every [Test] and [TestCase] of this assembly and says how it went; the exit status is the number of failures.
using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Linq;
using System.Reflection;
using System.Threading.Tasks;
using NUnit.Framework;

namespace LiveTalker.Tests
{
    internal static class Program
    {
        // Generous: a test may be held up by whatever else the machine does.
        private static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);

        private static int Main(string[] arguments)
        {
            string only = arguments.Length > 0 ? arguments[0] : "";
            int passed = 0;
            int failed = 0;
            foreach ((string name, Func<object> run) in FindTests().Where(test => test.Name.Contains(only)))
            {
                var watch = Stopwatch.StartNew();
                Exception error = Run(run);
                Console.WriteLine($"{(error == null ? "ok  " : "FAIL")} {name} ({watch.ElapsedMilliseconds} ms)");
                if (error == null)
                {
                    passed++;
                }
                else
                {
                    failed++;
                    Console.WriteLine(error is AssertionException ? $"     {error.Message}\n{error.StackTrace}" : error.ToString());
                }
            }

            Console.WriteLine($"{passed} passed, {failed} failed");
            return passed == 0 || failed > 0 ? 1 : 0;
        }

        private static IEnumerable<(string Name, Func<object> Run)> FindTests()
        {
            foreach (Type type in Assembly.GetExecutingAssembly().GetTypes().OrderBy(type => type.FullName, StringComparer.Ordinal))
            {
                foreach (MethodInfo method in type.GetMethods().OrderBy(method => method.MetadataToken))
                {
                    if (method.GetCustomAttribute<TestAttribute>() != null)
                    {
                        yield return ($"{type.Name}.{method.Name}", () => Invoke(type, method, null));
                    }

                    foreach (TestCaseAttribute attribute in method.GetCustomAttributes<TestCaseAttribute>())
                    {
                        string values = string.Join(", ", attribute.Arguments);
                        yield return ($"{type.Name}.{method.Name}({values})", () => Invoke(type, method, attribute.Arguments));
                    }
                }
            }
        }

        private static object Invoke(Type type, MethodInfo method, object[] arguments)
        {
            return method.Invoke(method.IsStatic ? null : Activator.CreateInstance(type), arguments);
        }

        private static Exception Run(Func<object> test)
        {
            try
            {
                Task running = Task.Run(() => test() as Task ?? Task.CompletedTask);
                if (!running.Wait(Limit))
                {
                    return new AssertionException($"it hangs: not done in {Limit.TotalMinutes:0} minutes");
                }

                return null;
            }
            catch (AggregateException error)
            {
                Exception inner = error.GetBaseException();
                return inner is TargetInvocationException invoked ? invoked.InnerException : inner;
            }
        }
    }
}
