#include "LiveTalkerConnection.h"

FString FLiveTalkerConnection::ToString() const
{
	return FString::Printf(TEXT("%s|%s|%s|%s"), *Address, bTls ? TEXT("tls") : TEXT("plain"), *Token, *CaFile);
}

FLiveTalkerConnection FLiveTalkerConnection::FromString(const FString& ConnectionString)
{
	TArray<FString> Parts;
	ConnectionString.ParseIntoArray(Parts, TEXT("|"), false);
	FLiveTalkerConnection Connection;
	if (Parts.Num() > 0 && !Parts[0].IsEmpty())
	{
		Connection.Address = Parts[0];
	}
	Connection.bTls = Parts.Num() > 1 && Parts[1] == TEXT("tls");
	if (Parts.Num() > 2)
	{
		Connection.Token = Parts[2];
	}
	if (Parts.Num() > 3)
	{
		Connection.CaFile = Parts[3];
	}
	return Connection;
}
