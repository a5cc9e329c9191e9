export { type TestProviderOptions, testProvider } from './embed/conformance.js';
export {
  type DeterministicProvider,
  type DeterministicProviderOptions,
  deterministicProvider,
} from './embed/deterministic-provider.js';
