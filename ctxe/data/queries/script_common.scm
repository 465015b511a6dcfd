(function_declaration name: (identifier) @name) @function
(generator_function_declaration name: (identifier) @name) @function
(method_definition name: [(property_identifier) (private_property_identifier)] @name) @method
(program (lexical_declaration (variable_declarator name: (identifier) @name value: [(arrow_function) (function_expression)]) @function))
(program (variable_declaration (variable_declarator name: (identifier) @name value: [(arrow_function) (function_expression)]) @function))
(export_statement (lexical_declaration (variable_declarator name: (identifier) @name value: [(arrow_function) (function_expression)]) @function))
(program (lexical_declaration (variable_declarator name: (identifier) @name value: [(object) (array) (call_expression) (new_expression) (string) (number) (template_string)]) @constant))
(export_statement (lexical_declaration (variable_declarator name: (identifier) @name value: [(object) (array) (call_expression) (new_expression) (string) (number) (template_string)]) @constant))
(program (expression_statement (assignment_expression left: (member_expression property: (property_identifier) @name) right: [(function_expression) (arrow_function) (class)]) @function))
(program (expression_statement (assignment_expression left: (member_expression property: (property_identifier) @name) right: (assignment_expression right: (function_expression))) @function))
(pair key: (property_identifier) @name value: [(function_expression) (arrow_function)]) @function
(import_statement) @import
(export_statement source: (string)) @import
(call_expression function: (identifier) @_call arguments: (arguments . (string)) (#eq? @_call "require")) @import
(call_expression function: (import) arguments: (arguments . (string))) @import
