(translation_unit (declaration declarator: (function_declarator declarator: (identifier) @name)) @prototype)
(translation_unit (declaration declarator: (pointer_declarator declarator: (function_declarator declarator: (identifier) @name))) @prototype)
(translation_unit (declaration declarator: (init_declarator declarator: (array_declarator declarator: (identifier) @name))) @constant)
(translation_unit (declaration declarator: (init_declarator declarator: (identifier) @name value: (initializer_list))) @constant)
