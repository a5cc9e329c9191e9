import { testBackend } from './backend.js';
import { openMemory } from './stores.js';

testBackend('memory', openMemory);
