#include "SLiveTalkerSourcePanel.h"

#include "ILiveLinkSource.h"
#include "LiveTalkerModule.h"
#include "Widgets/Input/SButton.h"
#include "Widgets/Input/SCheckBox.h"
#include "Widgets/Input/SEditableTextBox.h"
#include "Widgets/SBoxPanel.h"
#include "Widgets/Text/STextBlock.h"

#define LOCTEXT_NAMESPACE "LiveTalkerSourcePanel"

namespace
{

TSharedRef<SWidget> Labelled(const FText& Label, const TSharedRef<SWidget>& Field)
{
	return SNew(SHorizontalBox)
		+ SHorizontalBox::Slot().FillWidth(0.35f).VAlign(VAlign_Center)[SNew(STextBlock).Text(Label)]
		+ SHorizontalBox::Slot().FillWidth(0.65f)[Field];
}

} // namespace

void SLiveTalkerSourcePanel::Construct(const FArguments& InArgs)
{
	OnSourceCreated = InArgs._OnSourceCreated;
	ChildSlot
	[
		SNew(SVerticalBox)
		+ SVerticalBox::Slot().AutoHeight().Padding(4.f)
		[
			Labelled(LOCTEXT("Address", "Server"),
				SNew(SEditableTextBox)
				.Text(FText::FromString(Connection.Address))
				.ToolTipText(LOCTEXT("AddressTip", "host:port of a `livetalker serve`"))
				.OnTextChanged_Lambda([this](const FText& Text) { Connection.Address = Text.ToString(); }))
		]
		+ SVerticalBox::Slot().AutoHeight().Padding(4.f)
		[
			Labelled(LOCTEXT("Tls", "TLS"),
				SNew(SCheckBox)
				.ToolTipText(LOCTEXT("TlsTip", "Whether the server was started with --tls-cert"))
				.OnCheckStateChanged_Lambda([this](ECheckBoxState State) { Connection.bTls = State == ECheckBoxState::Checked; }))
		]
		+ SVerticalBox::Slot().AutoHeight().Padding(4.f)
		[
			Labelled(LOCTEXT("CaFile", "CA file"),
				SNew(SEditableTextBox)
				.ToolTipText(LOCTEXT("CaFileTip", "PEM file of the authority to trust; empty: those of the system"))
				.OnTextChanged_Lambda([this](const FText& Text) { Connection.CaFile = Text.ToString(); }))
		]
		+ SVerticalBox::Slot().AutoHeight().Padding(4.f)
		[
			Labelled(LOCTEXT("Token", "Token"),
				SNew(SEditableTextBox)
				.IsPassword(true)
				.ToolTipText(LOCTEXT("TokenTip", "Where the server was started with --token-file. Presets save it as it is"))
				.OnTextChanged_Lambda([this](const FText& Text) { Connection.Token = Text.ToString(); }))
		]
		+ SVerticalBox::Slot().AutoHeight().Padding(4.f).HAlign(HAlign_Right)
		[
			SNew(SButton).Text(LOCTEXT("Add", "Add")).OnClicked(this, &SLiveTalkerSourcePanel::OnAdd)
		]
	];
}

FReply SLiveTalkerSourcePanel::OnAdd()
{
	if (FLiveTalkerModule* const Module = FLiveTalkerModule::Get())
	{
		OnSourceCreated.ExecuteIfBound(Module->MakeSource(Connection), Connection.ToString());
	}
	return FReply::Handled();
}

#undef LOCTEXT_NAMESPACE
