// The Live Link source: one subject for each character, with the 52 ARKit curves as properties of the basic role.
#pragma once

#include "CoreMinimal.h"
#include "ILiveLinkSource.h"
#include "LiveTalkerConnection.h"
#include "Misc/Guid.h"

class ILiveLinkClient;

/** Of the game thread; characters push into it from their ticks. */
class FLiveTalkerSource final : public ILiveLinkSource
{
public:
	explicit FLiveTalkerSource(const FLiveTalkerConnection& InConnection);

	/** The server that characters without an address of their own use. */
	const FLiveTalkerConnection& GetConnection() const { return Connection; }

	/** Shows a face, 52 weights, on a subject. The first call announces the subject. */
	void PushFace(FName Subject, const float* Weights);

	/** A character has gone. */
	void RemoveSubject(FName Subject);

	/** What the Live Link window says, from the character that has something to say. */
	void SetStatus(const FText& InStatus) { Status = InStatus; }

	//~ ILiveLinkSource
	virtual void ReceiveClient(ILiveLinkClient* InClient, FGuid InSourceGuid) override;
	virtual bool IsSourceStillValid() const override;
	virtual bool RequestSourceShutdown() override;
	virtual FText GetSourceType() const override;
	virtual FText GetSourceMachineName() const override;
	virtual FText GetSourceStatus() const override;

private:
	void Announce(FName Subject);

	const FLiveTalkerConnection Connection;
	ILiveLinkClient* Client = nullptr;
	FGuid SourceGuid;
	TSet<FName> Subjects;
	FText Status;
	bool bShutDown = false;
};
