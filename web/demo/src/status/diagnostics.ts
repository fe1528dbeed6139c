// What helps to find a fault. Nothing that the user wrote is in it.

import { Hala } from 'hala-web';
import { info, load, tokensPerSecond } from '../state/engine.js';

export async function diagnostics(): Promise<object> {
  const { quota, usage } = (await navigator.storage?.estimate()) ?? {};
  const state = load.value;
  return {
    info: info.value,
    tokensPerSecond: tokensPerSecond.value,
    error: state.kind === 'failed' ? { code: state.error.code, message: state.error.message } : undefined,
    cache: await Hala.cache.list(),
    storage: { quota, usage },
    isolated: crossOriginIsolated,
    processors: navigator.hardwareConcurrency,
    userAgent: navigator.userAgent,
  };
}
