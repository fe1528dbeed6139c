// What the module for several threads exports, for checking types where it is not built; where it is, its own declarations count.

declare module '*/hala_wasm_threads.js' {
  const start: (options: { module_or_path: WebAssembly.Module; memory?: WebAssembly.Memory }) => Promise<{ memory: WebAssembly.Memory }>;
  export default start;
  export const Cancel: typeof import('../wasm/hala_wasm/hala_wasm.js').Cancel;
  export const Runtime: unknown;
  export const lendThread: () => unknown;
}
