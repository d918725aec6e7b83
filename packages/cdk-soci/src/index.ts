export * from './code-build-options'
export * from './compute'
export * from './compute-options'
export * from './step-functions-options'
