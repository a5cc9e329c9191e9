export { type TestProviderOptions, testProvider } from './embed/testing/conformance.js';
export {
  type DeterministicProvider,
  type DeterministicProviderOptions,
  deterministicProvider,
} from './embed/testing/deterministic-provider.js';
