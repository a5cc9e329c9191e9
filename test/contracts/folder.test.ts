import { testBackend } from './backend.js';
import { testSearches } from './searches.js';
import { openFolder, openIndexInFolder } from './stores.js';

testBackend('directory', openFolder);
testSearches('directory', openIndexInFolder);
