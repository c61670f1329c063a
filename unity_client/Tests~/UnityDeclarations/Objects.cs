namespace UnityEngine { public class Object { } }
