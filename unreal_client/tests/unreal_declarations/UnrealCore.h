// Core: types, strings, containers, pointers, delegates, tasks, modules.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

using int32 = std::int32_t;
using int64 = std::int64_t;
using uint8 = std::uint8_t;
using uint32 = std::uint32_t;
using TCHAR = char16_t;

#define TEXT(x) u##x
#define PLATFORM_WINDOWS 0
#define PLATFORM_MAC 0
#define LIVETALKER_API
#define INDEX_NONE (-1)

// Reflection.
#define UCLASS(...)
#define USTRUCT(...)
#define UENUM(...)
#define UPROPERTY(...)
#define UFUNCTION(...)
#define GENERATED_BODY()

template <typename T>
std::remove_reference_t<T>&& MoveTemp(T&& Value)
{
	return static_cast<std::remove_reference_t<T>&&>(Value);
}

class FString;

template <typename T>
class TArray
{
public:
	int32 Num() const;
	T* GetData();
	const T* GetData() const;
	int32 Add(const T& Item);
	int32 Add(T&& Item);
	void Append(const T* Items, int32 Count);
	void Reserve(int32 Count);
	void Reset(int32 Slack = 0);
	void RemoveAt(int32 Index);
	void SetNumZeroed(int32 Count);
	T& operator[](int32 Index);
	const T& operator[](int32 Index) const;
	T* begin();
	T* end();
	const T* begin() const;
	const T* end() const;
};

template <typename T>
class TSet
{
public:
	bool Contains(const T& Item) const;
	void Add(const T& Item);
	int32 Remove(const T& Item);
	void Reset();
};

class FString
{
public:
	FString();
	FString(const TCHAR* Text);
	const TCHAR* operator*() const;
	bool IsEmpty() const;
	bool operator==(const FString& Other) const;
	bool operator==(const TCHAR* Other) const;
	int32 ParseIntoArray(TArray<FString>& Parts, const TCHAR* Delimiter, bool bCullEmpty = true) const;
	template <typename... Types>
	static FString Printf(const TCHAR* Format, Types... Values);
};

class FName
{
public:
	FName();
	FName(const char* Name);
	FName(const TCHAR* Name);
	bool IsNone() const;
	FString ToString() const;
	bool operator==(const FName& Other) const;
};

class FText
{
public:
	static FText FromString(const FString& Text);
	const FString& ToString() const;
};
FText MakeLiteralText(const char* Namespace, const char* Key, const char* Text);
#define LOCTEXT(Key, Text) MakeLiteralText(LOCTEXT_NAMESPACE, Key, Text)

class FTCHARToUTF8
{
public:
	explicit FTCHARToUTF8(const TCHAR* Text);
	const char* Get() const;
};
const TCHAR* UTF8_TO_TCHAR(const char* Text);

struct FMath
{
	static int32 RoundToInt(double Value);
	template <typename T>
	static T Min(T A, T B);
};

template <typename T>
class TOptional
{
public:
	TOptional();
	TOptional(const T& Value);
	T Get(const T& Otherwise) const;
};

// Pointers.
enum class ESPMode : uint8
{
	NotThreadSafe,
	ThreadSafe
};

template <typename T, ESPMode Mode = ESPMode::ThreadSafe>
class TSharedRef;

template <typename T, ESPMode Mode = ESPMode::ThreadSafe>
class TSharedPtr
{
public:
	TSharedPtr();
	TSharedPtr(std::nullptr_t);
	template <typename Other, typename = std::enable_if_t<std::is_convertible_v<Other*, T*>>>
	TSharedPtr(const TSharedPtr<Other, Mode>&);
	template <typename Other, typename = std::enable_if_t<std::is_convertible_v<Other*, T*>>>
	TSharedPtr(const TSharedRef<Other, Mode>&);
	bool IsValid() const;
	void Reset();
	TSharedRef<T, Mode> ToSharedRef() const;
	T* operator->() const;
	T& operator*() const;
	explicit operator bool() const;
	bool operator==(const TSharedPtr& Other) const;
};

template <typename T, ESPMode Mode>
class TSharedRef
{
public:
	template <typename Other, typename = std::enable_if_t<std::is_convertible_v<Other*, T*>>>
	TSharedRef(const TSharedRef<Other, Mode>&);
	T* operator->() const;
	T& operator*() const;
};

template <typename T, ESPMode Mode = ESPMode::ThreadSafe>
class TWeakPtr
{
public:
	TWeakPtr();
	template <typename Other>
	TWeakPtr(const TSharedPtr<Other, Mode>&);
	template <typename Other>
	TWeakPtr(const TSharedRef<Other, Mode>&);
	TSharedPtr<T, Mode> Pin() const;
};

template <typename T, ESPMode Mode = ESPMode::ThreadSafe>
class TSharedFromThis
{
public:
	TSharedRef<T, Mode> AsShared();
};

template <typename T, ESPMode Mode = ESPMode::ThreadSafe, typename... Arguments>
TSharedRef<T, Mode> MakeShared(Arguments&&... Values)
{
	static_assert(std::is_constructible_v<T, Arguments...>);
	return *static_cast<TSharedRef<T, Mode>*>(nullptr);
}

template <typename T>
class TUniquePtr
{
public:
	TUniquePtr();
	TUniquePtr(TUniquePtr&&);
	~TUniquePtr();
	TUniquePtr& operator=(TUniquePtr&&);
	bool IsValid() const;
	T* Get() const;
	void Reset();
	T* operator->() const;
};
template <typename T, typename... Arguments>
TUniquePtr<T> MakeUnique(Arguments&&... Values);

// Functions and delegates.
template <typename Signature>
class TFunction;
template <typename Result, typename... Arguments>
class TFunction<Result(Arguments...)>
{
public:
	template <typename Callable, typename = std::enable_if_t<std::is_invocable_r_v<Result, Callable&, Arguments...>>>
	TFunction(Callable&& Function)
	{
	}
	TFunction(const TFunction&);
	TFunction(TFunction&&);
	Result operator()(Arguments... Values) const;
};

template <typename Result, typename... Arguments>
class TDelegate
{
public:
	bool IsBound() const;
	Result Execute(Arguments... Values) const;
	bool ExecuteIfBound(Arguments... Values) const;
	void Unbind();
	template <typename Callable, typename = std::enable_if_t<std::is_invocable_r_v<Result, Callable, Arguments...>>>
	void BindLambda(Callable&& Function)
	{
	}
};

template <typename... Arguments>
class TMulticastDelegate
{
public:
	template <typename User>
	void AddUObject(User* Object, void (User::*Function)(Arguments...));
	void RemoveAll(const void* Object);
	void Broadcast(Arguments... Values) const;
};

#define DECLARE_DELEGATE_TwoParams(Name, A, B) typedef TDelegate<void, A, B> Name
#define DECLARE_DELEGATE_RetVal_OneParam(Result, Name, A) typedef TDelegate<Result, A> Name
#define DECLARE_DYNAMIC_MULTICAST_DELEGATE_TwoParams(Name, A, AName, B, BName) typedef TMulticastDelegate<A, B> Name

// Tasks and locks.
enum class EAsyncExecution
{
	ThreadPool
};
template <typename Callable>
void Async(EAsyncExecution Where, Callable&& Function)
{
	Function();
}

namespace ENamedThreads
{
enum Type
{
	GameThread
};
}
void AsyncTask(ENamedThreads::Type Thread, TFunction<void()> Function);

class FCriticalSection
{
};
class FScopeLock
{
public:
	explicit FScopeLock(FCriticalSection* Section);
};

// Platform.
struct FPlatformTime
{
	static double Seconds();
};
struct FPlatformProcess
{
	static void* GetDllHandle(const TCHAR* File);
	static void FreeDllHandle(void* Handle);
	static void* GetDllExport(void* Handle, const TCHAR* Name);
};
struct FPaths
{
	template <typename... Parts>
	static FString Combine(const Parts&... Each);
};

struct FGuid
{
	uint32 A, B, C, D;
};

// Log.
struct FLogCategory
{
};
#define DECLARE_LOG_CATEGORY_EXTERN(Name, Default, Compiled) extern FLogCategory Name
#define DEFINE_LOG_CATEGORY(Name) FLogCategory Name
enum class ELogVerbosity
{
	Error,
	Warning,
	Log,
	Verbose
};
template <typename... Types>
void LogMessage(FLogCategory& Category, ELogVerbosity Verbosity, const TCHAR* Format, Types... Values);
#define UE_LOG(Category, Verbosity, Format, ...) LogMessage(Category, ELogVerbosity::Verbosity, Format, ##__VA_ARGS__)

// Modules, plugins and features.
class IModuleInterface
{
public:
	virtual ~IModuleInterface();
	virtual void StartupModule();
	virtual void ShutdownModule();
};
class FModuleManager
{
public:
	template <typename Module>
	static Module* GetModulePtr(FName Name);
};
#define IMPLEMENT_MODULE(Class, Name) IModuleInterface* Make##Name() { return new Class(); }

class IPlugin
{
public:
	FString GetBaseDir() const;
};
class IPluginManager
{
public:
	static IPluginManager& Get();
	TSharedPtr<IPlugin> FindPlugin(const FString& Name);
};

class IModularFeatures
{
public:
	static IModularFeatures& Get();
	bool IsModularFeatureAvailable(FName Name);
	template <typename Feature>
	Feature& GetModularFeature(FName Name);
};
