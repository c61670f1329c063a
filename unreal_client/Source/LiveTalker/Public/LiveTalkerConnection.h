// Where a LiveTalker server is and how to speak to it, and the same as Live Link's connection string.
#pragma once

#include "CoreMinimal.h"

#include "LiveTalkerConnection.generated.h"

USTRUCT(BlueprintType)
struct LIVETALKER_API FLiveTalkerConnection
{
	GENERATED_BODY()

	/** host:port of a `livetalker serve`. */
	UPROPERTY(EditAnywhere, BlueprintReadWrite, Category = "LiveTalker")
	FString Address = TEXT("127.0.0.1:50051");

	/** Whether the server was started with --tls-cert. */
	UPROPERTY(EditAnywhere, BlueprintReadWrite, Category = "LiveTalker")
	bool bTls = false;

	/** Bearer token, where the server was started with --token-file; empty: none. */
	UPROPERTY(EditAnywhere, BlueprintReadWrite, Category = "LiveTalker")
	FString Token;

	/** PEM file of the authority to trust; empty: those of the system. */
	UPROPERTY(EditAnywhere, BlueprintReadWrite, Category = "LiveTalker", AdvancedDisplay)
	FString CaFile;

	/** "address|tls|token|CA file", the connection string of a Live Link preset. */
	FString ToString() const;

	/** Reads what ToString writes; what is missing at the end keeps its default. */
	static FLiveTalkerConnection FromString(const FString& ConnectionString);
};
