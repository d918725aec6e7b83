// The few parts of the WebAssembly JavaScript interface that the engine uses: neither the ES library nor Node's types declare them.

export interface Memory {
  readonly buffer: ArrayBufferLike
}

export type Module = object

interface WebAssemblyNamespace {
  readonly Memory: new (limits: { initial: number; maximum: number; shared?: boolean }) => Memory
  readonly Module: new (bytes: Uint8Array) => Module
  readonly Instance: new (module: Module, imports: object) => { readonly exports: unknown }
}

export const { Memory, Module, Instance } = (globalThis as unknown as { WebAssembly: WebAssemblyNamespace }).WebAssembly
