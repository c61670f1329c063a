// Shows a voice's face on a character: shapes, and if asked head and eyes.
using System;
using System.Collections.Generic;
using UnityEngine;

namespace LiveTalker.Unity
{
    /// <summary>Puts the face of a voice on a character's meshes, after its animation.</summary>
    [AddComponentMenu("LiveTalker/LiveTalker Character")]
    [DefaultExecutionOrder(100)]
    public sealed class LiveTalkerCharacter : MonoBehaviour
    {
        private const float RestSeconds = 2f;

        [Header("Voice and meshes")]
        [SerializeField]
        [Tooltip("A LiveTalker Microphone or LiveTalker Audio Source. Empty: one on this GameObject or below it.")]
        private LiveTalkerVoice voice;

        [SerializeField]
        [Tooltip("The meshes to move: face, teeth, tongue, brows. Empty: all below this GameObject that have shapes.")]
        private List<SkinnedMeshRenderer> renderers = new List<SkinnedMeshRenderer>();

        [SerializeField]
        [Tooltip("Which shape is which. Empty: guessed from the shapes' names at start.")]
        private BlendshapeMap map;

        [Header("Look")]
        [SerializeField]
        [Range(0f, 2f)]
        [Tooltip("How much jaw, mouth, cheeks and tongue move.")]
        private float mouthGain = 1f;

        [SerializeField]
        [Range(0f, 2f)]
        [Tooltip("How much eyes, brows and nose move.")]
        private float upperFaceGain = 1f;

        [SerializeField]
        [Range(0f, 0.2f)]
        [Tooltip("Smoothing, seconds. 0 is right for most; lips lose their closures above 0.03.")]
        private float smoothing;

        [Header("Beside other animation")]
        [SerializeField]
        [Tooltip("How speech meets an Animator that moves the same mouth shapes. Replace: speech alone. Add: on top of an expression.")]
        private ShapeMix mouthMix = ShapeMix.Replace;

        [SerializeField]
        [Tooltip("The same for eyes, brows and nose. LeaveAlone: your animation owns the upper face.")]
        private ShapeMix upperFaceMix = ShapeMix.Replace;

        [Header("Head and eyes")]
        [SerializeField]
        [Tooltip("The head bone, to sway and nod a little with speech. Empty: the head is left alone.")]
        private Transform head;

        [SerializeField]
        [Range(0f, 2f)]
        [Tooltip("How much the head moves.")]
        private float headAmount = 1f;

        [SerializeField]
        [Tooltip("The left eye's bone, for meshes whose eyes are not moved by shapes. Empty: left alone.")]
        private Transform leftEye;

        [SerializeField]
        [Tooltip("The right eye's bone.")]
        private Transform rightEye;

        [SerializeField]
        [Range(0f, 45f)]
        [Tooltip("Degrees that an eye turns sideways at most. Up and down it is two thirds of this.")]
        private float eyeDegrees = 25f;

        private readonly float[] channels = new float[FaceChannels.Count];
        private readonly List<DrivenRenderer> driven = new List<DrivenRenderer>();
        private readonly RestPose rest = new RestPose();
        private readonly FaceSmoother smoother = new FaceSmoother();
        private DrivenBone headBone;
        private DrivenBone leftEyeBone;
        private DrivenBone rightEyeBone;
        private HeadMotion headMotion;
        private bool wasLearning;

        /// <summary>The voice whose face is shown.</summary>
        public LiveTalkerVoice Voice
        {
            get => voice;
            set => voice = value;
        }

        /// <summary>Which shape is which. Takes effect when the component is enabled again, or by <see cref="Rebind"/>.</summary>
        public BlendshapeMap Map
        {
            get => map;
            set => map = value;
        }

        /// <summary>How speech meets other animation of eyes, brows and nose.</summary>
        public ShapeMix UpperFaceMix
        {
            get => upperFaceMix;
            set => upperFaceMix = value;
        }

        /// <summary>The face as it was shown last: 52 coefficients, then 15 visemes, as <see cref="FaceChannels.Names"/>.</summary>
        public ReadOnlySpan<float> Channels => channels;

        /// <summary>How many shapes of all meshes are moved.</summary>
        public int BoundCount { get; private set; }

        /// <summary>Whether <see cref="Calibrate"/> is listening to the rest pose.</summary>
        public bool IsCalibrating => rest.IsLearning;

        /// <summary>The meshes that are moved, or would be.</summary>
        public List<SkinnedMeshRenderer> FindRenderers()
        {
            var found = new List<SkinnedMeshRenderer>();
            IEnumerable<SkinnedMeshRenderer> candidates =
                renderers.Count > 0 ? (IEnumerable<SkinnedMeshRenderer>)renderers : GetComponentsInChildren<SkinnedMeshRenderer>();
            foreach (SkinnedMeshRenderer candidate in candidates)
            {
                if (candidate != null && candidate.sharedMesh != null && candidate.sharedMesh.blendShapeCount > 0)
                {
                    found.Add(candidate);
                }
            }

            return found;
        }

        /// <summary>Takes map and meshes anew.</summary>
        public void Rebind()
        {
            Release();
            BoundCount = 0;
            foreach (SkinnedMeshRenderer found in FindRenderers())
            {
                var one = new DrivenRenderer(found, BindingsOf(found));
                BoundCount += one.BoundCount;
                driven.Add(one);
            }

            if (BoundCount == 0)
            {
                Debug.LogWarning(
                    $"{name}: no shape of its meshes was recognised. Assign the face's renderer, or make a Blendshape Map "
                    + "(Create > LiveTalker > Blendshape Map) and fill it in.",
                    this);
            }

            rest.Set(map != null ? map.RestPose : null);
            headBone = head != null ? new DrivenBone(head) : null;
            leftEyeBone = leftEye != null ? new DrivenBone(leftEye) : null;
            rightEyeBone = rightEye != null ? new DrivenBone(rightEye) : null;
            headMotion = new HeadMotion(GetHashCode());
        }

        /// <summary>Listens to two quiet seconds, and takes the face that is shown then for rest.</summary>
        /// <remarks>With a map, the pose is kept in it.</remarks>
        public void Calibrate()
        {
            rest.Set(default);
            rest.Learn(RestSeconds);
        }

        /// <summary>Forgets the rest pose.</summary>
        public void ClearCalibration()
        {
            rest.Set(default);
            if (map != null)
            {
                map.RestPose = null;
            }
        }

        private void OnEnable()
        {
            if (voice == null)
            {
                voice = GetComponentInChildren<LiveTalkerVoice>();
            }

            Rebind();
        }

        private void OnDisable()
        {
            Release();
        }

        // After the Animator, which writes before LateUpdate.
        private void LateUpdate()
        {
            if (voice == null)
            {
                return;
            }

            Span<float> face = channels.AsSpan(0, Arkit.Count);
            voice.Sample(face);
            rest.Process(face, Time.unscaledDeltaTime);
            KeepRestPose();
            for (int i = 0; i < Arkit.Count; i++)
            {
                face[i] = Math.Min(1, face[i] * (Arkit.IsUpperFace(i) ? upperFaceGain : mouthGain));
            }

            smoother.Seconds = smoothing;
            smoother.Process(face, Time.unscaledDeltaTime);
            FaceChannels.AddVisemes(channels);
            foreach (DrivenRenderer one in driven)
            {
                one.Apply(channels, mouthMix, upperFaceMix);
            }

            TurnHeadAndEyes(face);
        }

        private void TurnHeadAndEyes(ReadOnlySpan<float> face)
        {
            if (headBone != null)
            {
                HeadPose pose = headMotion.Sample(MonotonicClock.Now, Time.unscaledDeltaTime, face, voice.Presence, headAmount);
                headBone.Turn(transform, pose.Pitch, pose.Yaw, pose.Roll);
            }

            TurnEye(leftEyeBone, face, true);
            TurnEye(rightEyeBone, face, false);
        }

        private void TurnEye(DrivenBone eye, ReadOnlySpan<float> face, bool isLeft)
        {
            if (eye != null)
            {
                Gaze.Sample(face, isLeft, eyeDegrees, eyeDegrees * 2 / 3, out float yaw, out float pitch);
                eye.Turn(transform, pitch, yaw, 0);
            }
        }

        private IEnumerable<RetargetBinding> BindingsOf(SkinnedMeshRenderer found)
        {
            if (map != null && map.Count > 0)
            {
                return map.Bindings;
            }

            var bindings = new List<RetargetBinding>();
            foreach (AutoMapMatch match in AutoMap.Match(BlendshapeMap.ShapeNames(found.sharedMesh)))
            {
                bindings.Add(match.Binding);
            }

            return bindings;
        }

        private void KeepRestPose()
        {
            if (wasLearning && !rest.IsLearning && map != null)
            {
                map.RestPose = rest.Pose.ToArray();
            }

            wasLearning = rest.IsLearning;
        }

        private void Release()
        {
            foreach (DrivenRenderer one in driven)
            {
                one.Restore();
            }

            driven.Clear();
            headBone?.Restore();
            leftEyeBone?.Restore();
            rightEyeBone?.Restore();
            headBone = leftEyeBone = rightEyeBone = null;
        }
    }
}
