// What other tools call the shapes: CC4, MetaHuman, VRM, VRoid, MMD and visemes, each with the channels that move it.
namespace LiveTalker
{
    /// <summary>
    /// Lines of <c>name = channel [+ channel ...]</c>. <c>{S}</c> stands for a side and <c>{O}</c> for the other; such a line
    /// counts twice, once for each side. Several channels share a shape equally.
    /// </summary>
    internal static class ShapeNameTables
    {
        /// <summary>Shapes that move like coefficients.</summary>
        public const string Coefficients = @"
# Reallusion CC3+ and CC4
Brow_Raise_Inner_{S} = browInnerUp
Brow_Raise_Outer_{S} = browOuterUp{S}
Brow_Drop_{S} = browDown{S}
Eye_{S}_Look_{S} = eyeLookOut{S}
Eye_{S}_Look_{O} = eyeLookIn{S}
Eye_{S}_Look_Up = eyeLookUp{S}
Eye_{S}_Look_Down = eyeLookDown{S}
Cheek_Raise_{S} = cheekSquint{S}
Mouth_Pucker_Up_{S} = mouthPucker
Mouth_Pucker_Down_{S} = mouthPucker
Mouth_Funnel_Up_{S} = mouthFunnel
Mouth_Funnel_Down_{S} = mouthFunnel
Mouth_Roll_In_Upper_{S} = mouthRollUpper
Mouth_Roll_In_Lower_{S} = mouthRollLower
Mouth_Roll_In_Upper = mouthRollUpper
Mouth_Roll_In_Lower = mouthRollLower
Mouth_Up_Upper_{S} = mouthUpperUp{S}
Mouth_Down_Lower_{S} = mouthLowerDown{S}
# Epic MetaHuman, rig expressions
browRaiseIn{S} = browInnerUp
browRaiseOuter{S} = browOuterUp{S}
eyeWiden{S} = eyeWide{S}
eyeSquintInner{S} = eyeSquint{S}
eyeCheekRaise{S} = cheekSquint{S}
eyeLook{S}{S} = eyeLookOut{S}
eyeLook{O}{S} = eyeLookIn{S}
noseWrinkle{S} = noseSneer{S}
mouthCheekBlow{S} = cheekPuff
mouthCornerPull{S} = mouthSmile{S}
mouthCornerDepress{S} = mouthFrown{S}
mouthUpperLipRaise{S} = mouthUpperUp{S}
mouthLowerLipDepress{S} = mouthLowerDown{S}
mouthLipsPurseU{S} = mouthPucker
mouthLipsPurseD{S} = mouthPucker
mouthFunnelU{S} = mouthFunnel
mouthFunnelD{S} = mouthFunnel
mouthLipsTogetherU{S} = mouthClose
mouthLipsTogetherD{S} = mouthClose
mouthLipsPress{S} = mouthPress{S}
mouthPressU{S} = mouthPress{S}
mouthPressD{S} = mouthPress{S}
mouthUpperLipRollIn{S} = mouthRollUpper
mouthLowerLipRollIn{S} = mouthRollLower
jawFwd = jawForward
jawChinRaiseD{S} = mouthShrugLower
jawChinRaiseU{S} = mouthShrugUpper
# VRM 0 and 1, VRoid, MMD
Blink = eyeBlinkLeft + eyeBlinkRight
Blink_{S} = eyeBlink{S}
lookUp = eyeLookUpLeft + eyeLookUpRight
lookDown = eyeLookDownLeft + eyeLookDownRight
look{S} = eyeLookOut{S} + eyeLookIn{O}
Fcl_EYE_Close = eyeBlinkLeft + eyeBlinkRight
Fcl_EYE_Close_{S} = eyeBlink{S}
EYE_Close = eyeBlinkLeft + eyeBlinkRight
EYE_Close_{S} = eyeBlink{S}
まばたき = eyeBlinkLeft + eyeBlinkRight
ウィンク = eyeBlinkLeft
ウィンク右 = eyeBlinkRight
";

        /// <summary>Shapes that move like visemes, for meshes without the coefficients of a mouth.</summary>
        public const string VisemeShapes = @"
# VRM 0, VRM 1, VRoid, MMD
A = viseme_aa
I = viseme_ih
U = viseme_ou
E = viseme_E
O = viseme_oh
aa = viseme_aa
ih = viseme_ih
ou = viseme_ou
ee = viseme_E
oh = viseme_oh
Fcl_MTH_A = viseme_aa
Fcl_MTH_I = viseme_ih
Fcl_MTH_U = viseme_ou
Fcl_MTH_E = viseme_E
Fcl_MTH_O = viseme_oh
MTH_A = viseme_aa
MTH_I = viseme_ih
MTH_U = viseme_ou
MTH_E = viseme_E
MTH_O = viseme_oh
あ = viseme_aa
い = viseme_ih
う = viseme_ou
え = viseme_E
お = viseme_oh
# Oculus LipSync, Ready Player Me, VRChat
viseme_sil = viseme_sil
viseme_PP = viseme_PP
viseme_FF = viseme_FF
viseme_TH = viseme_TH
viseme_DD = viseme_DD
viseme_kk = viseme_kk
viseme_CH = viseme_CH
viseme_SS = viseme_SS
viseme_nn = viseme_nn
viseme_RR = viseme_RR
viseme_aa = viseme_aa
viseme_E = viseme_E
viseme_I = viseme_ih
viseme_ih = viseme_ih
viseme_O = viseme_oh
viseme_oh = viseme_oh
viseme_U = viseme_ou
viseme_ou = viseme_ou
v_sil = viseme_sil
v_PP = viseme_PP
v_FF = viseme_FF
v_TH = viseme_TH
v_DD = viseme_DD
v_kk = viseme_kk
v_CH = viseme_CH
v_SS = viseme_SS
v_nn = viseme_nn
v_RR = viseme_RR
v_aa = viseme_aa
v_E = viseme_E
v_ih = viseme_ih
v_oh = viseme_oh
v_ou = viseme_ou
# Reallusion CC3
V_Open = viseme_aa
V_Explosive = viseme_PP
V_Dental_Lip = viseme_FF
V_Tight_O = viseme_ou
V_Tight = viseme_SS
V_Wide = viseme_E
V_Affricate = viseme_CH
V_Lip_Open = viseme_kk
";
    }
}
