import { testBackend } from './backend.js';
import { testSearches } from './searches.js';
import { openFolder, openIndexInFolder } from './stores.js';
import { testTextFields } from './text-fields.js';

testBackend('directory', openFolder);
testSearches('directory', openIndexInFolder);
testTextFields('directory', openIndexInFolder);
