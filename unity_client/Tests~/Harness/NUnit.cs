// The part of NUnit that the tests use, so that the same files run in Unity's Test Runner and without it.
using System;
using System.Collections.Generic;

namespace NUnit.Framework
{
    /// <summary>Marks a test.</summary>
    [AttributeUsage(AttributeTargets.Method)]
    public sealed class TestAttribute : Attribute
    {
    }

    /// <summary>Marks a test with arguments.</summary>
    [AttributeUsage(AttributeTargets.Method, AllowMultiple = true)]
    public sealed class TestCaseAttribute : Attribute
    {
        public TestCaseAttribute(params object[] arguments)
        {
            Arguments = arguments;
        }

        public object[] Arguments { get; }
    }

    /// <summary>A failed assertion.</summary>
    public sealed class AssertionException : Exception
    {
        public AssertionException(string message)
            : base(message)
        {
        }
    }

    /// <summary>NUnit's classic assertions.</summary>
    public static class Assert
    {
        public static void IsTrue(bool condition, string message = "")
        {
            Check(condition, $"expected true. {message}");
        }

        public static void IsFalse(bool condition, string message = "")
        {
            Check(!condition, $"expected false. {message}");
        }

        public static void IsNull(object value, string message = "")
        {
            Check(value == null, $"expected null, not {value}. {message}");
        }

        public static void IsNotNull(object value, string message = "")
        {
            Check(value != null, $"expected something, not null. {message}");
        }

        public static void AreEqual(object expected, object actual, string message = "")
        {
            bool equal = Equals(expected, actual);
            if (!equal && expected is IConvertible && actual is IConvertible && IsNumber(expected) && IsNumber(actual))
            {
                equal = Convert.ToDecimal(expected) == Convert.ToDecimal(actual);
            }

            Check(equal, $"expected {expected}, not {actual}. {message}");
        }

        public static void AreEqual(double expected, double actual, double delta, string message = "")
        {
            bool same = double.IsNaN(expected) ? double.IsNaN(actual) : Math.Abs(expected - actual) <= delta;
            Check(same, $"expected {expected:R} +- {delta:R}, not {actual:R}. {message}");
        }

        public static void Less<T>(T value, T limit, string message = "")
            where T : IComparable<T>
        {
            Check(value.CompareTo(limit) < 0, $"expected less than {limit}, not {value}. {message}");
        }

        public static void LessOrEqual<T>(T value, T limit, string message = "")
            where T : IComparable<T>
        {
            Check(value.CompareTo(limit) <= 0, $"expected at most {limit}, not {value}. {message}");
        }

        public static void Greater<T>(T value, T limit, string message = "")
            where T : IComparable<T>
        {
            Check(value.CompareTo(limit) > 0, $"expected more than {limit}, not {value}. {message}");
        }

        public static void GreaterOrEqual<T>(T value, T limit, string message = "")
            where T : IComparable<T>
        {
            Check(value.CompareTo(limit) >= 0, $"expected at least {limit}, not {value}. {message}");
        }

        public static T Throws<T>(Action action, string message = "")
            where T : Exception
        {
            try
            {
                action();
            }
            catch (T expected)
            {
                return expected;
            }

            throw new AssertionException($"expected {typeof(T).Name}, and nothing was thrown. {message}");
        }

        public static void Fail(string message)
        {
            throw new AssertionException(message);
        }

        private static bool IsNumber(object value)
        {
            return !(value is string) && !(value is bool) && !(value is Enum) && !(value is char);
        }

        private static void Check(bool holds, string message)
        {
            if (!holds)
            {
                throw new AssertionException(message);
            }
        }
    }

    /// <summary>NUnit's assertions on strings.</summary>
    public static class StringAssert
    {
        public static void Contains(string part, string text, string message = "")
        {
            if (text == null || !text.Contains(part))
            {
                throw new AssertionException($"expected \"{part}\" in \"{text}\". {message}");
            }
        }
    }
}
