"""Tools of other people's servers by the Model Context Protocol: starting servers, listing and calling their tools."""
