// Slate: the few widgets of the creation panel, and the macros that declare and make them.
#pragma once

#include "UnrealCore.h"

class SWidget
{
};

class FReply
{
public:
	static FReply Handled();
};

enum class ECheckBoxState : uint8
{
	Unchecked,
	Checked
};
enum EVerticalAlignment
{
	VAlign_Center
};
enum EHorizontalAlignment
{
	HAlign_Right
};

// Arguments of a widget turn into references to it.
struct FWidgetArguments
{
	operator TSharedRef<SWidget>() const;
	operator TSharedPtr<SWidget>() const;
};

#define SLATE_BEGIN_ARGS(Widget) \
	struct FArguments : FWidgetArguments \
	{ \
		typedef FArguments WidgetArgsType; \
		FArguments()
#define SLATE_EVENT(Type, Name) \
	Type _##Name; \
	WidgetArgsType& Name(const Type& Value);
#define SLATE_END_ARGS() };

// In the engine SNew constructs the widget; here its arguments stand for it.
#define SNew(Widget) Widget::FArguments()

struct FSlot
{
	FSlot& FillWidth(float Part);
	FSlot& AutoHeight();
	FSlot& Padding(float All);
	FSlot& VAlign(EVerticalAlignment Alignment);
	FSlot& HAlign(EHorizontalAlignment Alignment);
	template <typename Content>
	FSlot& operator[](const Content& Widget);
};

class SBoxPanel : public SWidget
{
public:
	struct FArguments : FWidgetArguments
	{
		FArguments& operator+(const FSlot& Slot);
	};
	static FSlot Slot();
};
typedef SBoxPanel SHorizontalBox;
typedef SBoxPanel SVerticalBox;

class STextBlock : public SWidget
{
public:
	struct FArguments : FWidgetArguments
	{
		FArguments& Text(const FText& Value);
	};
};

class SEditableTextBox : public SWidget
{
public:
	struct FArguments : FWidgetArguments
	{
		FArguments& Text(const FText& Value);
		FArguments& ToolTipText(const FText& Value);
		FArguments& IsPassword(bool bValue);
		FArguments& OnTextChanged_Lambda(TFunction<void(const FText&)> Function);
	};
};

class SCheckBox : public SWidget
{
public:
	struct FArguments : FWidgetArguments
	{
		FArguments& ToolTipText(const FText& Value);
		FArguments& OnCheckStateChanged_Lambda(TFunction<void(ECheckBoxState)> Function);
	};
};

class SButton : public SWidget
{
public:
	struct FArguments : FWidgetArguments
	{
		FArguments& Text(const FText& Value);
		template <typename User>
		FArguments& OnClicked(User* Object, FReply (User::*Function)());
	};
};

class SCompoundWidget : public SWidget
{
protected:
	FSlot ChildSlot;
};
