export * from './descriptor.js'
export * from './store.js'
