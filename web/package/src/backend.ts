// What runs the model: WebGPU on a real GPU, the CPU otherwise, and why.

import { HalaError } from './errors.js';
import type { BackendName, HalaInfo } from './types.js';

/** A choice with its reason. */
export interface Choice {
  backend: BackendName;
  reason: string;
  reasonCode: HalaInfo['reasonCode'];
  /** Whether the adapter offers subgroups; the module looks at their sizes. */
  subgroups: boolean;
}

/** Names under which programs play a GPU. */
const SOFTWARE = /swiftshader|llvmpipe|lavapipe|software|basic render/i;

/** What kernels cannot do without. */
const NEEDED: Partial<Record<keyof GPUSupportedLimits, number>> = {
  maxStorageBuffersPerShaderStage: 8,
  maxComputeWorkgroupStorageSize: 16384,
  maxComputeInvocationsPerWorkgroup: 256,
  maxStorageBufferBindingSize: 1 << 24,
};

/** Chooses what runs the model. */
export async function chooseBackend(asked: 'auto' | BackendName): Promise<Choice> {
  if (asked === 'wasm') return onCpu('asked', 'the CPU was asked for');
  const adapter = await navigator.gpu?.requestAdapter({ powerPreference: 'high-performance' });
  const refusal = refuse(adapter, asked);
  if (refusal && asked === 'auto') return refusal;
  if (refusal || !adapter) {
    throw new HalaError('device-refused', `WebGPU was asked for, but ${refusal?.reason ?? 'there is no adapter'}: use backend 'auto'`);
  }
  return {
    backend: 'webgpu',
    reason: asked === 'auto' ? 'the browser offers a GPU' : 'WebGPU was asked for',
    reasonCode: asked === 'auto' ? 'gpu' : 'asked',
    subgroups: adapter.features.has('subgroups'),
  };
}

/** Why an adapter is not used; null where it is. A software adapter is good enough for who asks for WebGPU. */
function refuse(adapter: GPUAdapter | null | undefined, asked: 'auto' | BackendName): Choice | null {
  if (!navigator.gpu) return onCpu('no-webgpu', 'this browser has no WebGPU');
  if (!adapter) return onCpu('no-adapter', 'this browser has WebGPU and no adapter for it');
  const { vendor, architecture, description, device } = adapter.info;
  const isSoftware = adapter.info.isFallbackAdapter || SOFTWARE.test([vendor, architecture, description, device].join(' '));
  if (isSoftware && asked === 'auto') {
    return onCpu('software-adapter', 'the only WebGPU adapter is a program on the CPU, which the CPU itself outruns');
  }
  for (const [limit, needed] of Object.entries(NEEDED)) {
    const found = adapter.limits[limit as keyof GPUSupportedLimits];
    if (typeof found === 'number' && found < needed) {
      return onCpu('adapter-too-small', `the GPU's ${limit} is ${found}, and ${needed} are needed`);
    }
  }
  return null;
}

function onCpu(reasonCode: HalaInfo['reasonCode'], reason: string): Choice {
  return { backend: 'wasm', reason, reasonCode, subgroups: false };
}

/** Adds subgroups to the features of every device that this worker asks for, because wgpu does not yet. */
export function turnSubgroupsOn(): void {
  const original = GPUAdapter.prototype.requestDevice;
  GPUAdapter.prototype.requestDevice = function requestDevice(descriptor: GPUDeviceDescriptor = {}) {
    const offered: GPUFeatureName[] = this.features.has('subgroups') ? ['subgroups'] : [];
    const requiredFeatures = [...(descriptor.requiredFeatures ?? []), ...offered];
    return original.call(this, { ...descriptor, requiredFeatures });
  };
}
