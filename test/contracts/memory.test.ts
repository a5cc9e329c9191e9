import { testBackend } from './backend.js';
import { testSearches } from './searches.js';
import { openIndexInMemory, openMemory } from './stores.js';

testBackend('memory', openMemory);
testSearches('memory', openIndexInMemory);
