import { testBackend } from './backend.js';
import { testSearches } from './searches.js';
import { openIndexInMemory, openMemory } from './stores.js';
import { testTextFields } from './text-fields.js';

testBackend('memory', openMemory);
testSearches('memory', openIndexInMemory);
testTextFields('memory', openIndexInMemory);
